"""Processes of the register that a test starts, forked in milliseconds from one that has imported the program already.

A fork shares no connection, lock or thread with the test: the process that it comes from (Python's forkserver) has only
imported, and done nothing.
"""

import multiprocessing
import os
import runpy
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import ModuleType
from typing import Any

from sqlalchemy import Engine, event
from streamlit.web.cli import main as streamlit

from services.core.settings import ROOT

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.program"])


@dataclass(frozen=True, slots=True)
class Finished:
    """What a command that has ended gave back and wrote."""

    returncode: int
    stdout: str
    stderr: str


def start_process(
    work: Callable[..., object], register: str, *arguments: Any, has_children: bool = False
) -> BaseProcess:
    """Start `work(*arguments)`, a function of a module, on a register in a process of its own, and don't wait for it.

    It ends with this process; one that has processes of its own has to end by itself.
    """
    environment = {**os.environ, "DATABASE_URL": register}
    process = FORKS.Process(target=_work, args=(environment, work, arguments), daemon=not has_children)
    _start(process)
    return process


def run_process(work: Callable[..., object], register: str, *arguments: Any, timeout: float = 300) -> int:
    """Run `work(*arguments)` on a register in a process of its own to its end; gives its exit code."""
    process = start_process(work, register, *arguments)
    process.join(timeout)
    return _exit_code(process)


def kill_process(process: BaseProcess) -> None:
    """End a process in the middle of whatever it does."""
    process.kill()
    process.join(30)


def die_at_moment(fatal: int) -> None:
    """Have this process die, as by `kill -9`, at a moment of those before and after each statement and before each commit.

    They are counted from 1; at 0 it never dies.
    """
    moments = count(1)

    def die(*_args: object) -> None:
        if next(moments) == fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    for name in ("before_cursor_execute", "after_cursor_execute", "commit"):
        event.listen(Engine, name, die)


def start_command(*words: str, output: Path, **environment: str) -> BaseProcess:
    """Start `python manage.py <words>` without waiting for it; what it writes goes to `output`/stdout and `output`/stderr."""
    process = FORKS.Process(target=_command, args=({**os.environ, **environment}, words, output), daemon=True)
    _start(process)
    return process


def finish_command(process: BaseProcess, output: Path, timeout: float = 300) -> Finished:
    """Wait for a command that `start_command` started."""
    process.join(timeout)
    code = _exit_code(process)
    return Finished(code, (output / "stdout").read_text("utf-8"), (output / "stderr").read_text("utf-8"))


def run_command(*words: str, **environment: str) -> Finished:
    """Run `python manage.py <words>` as a process of its own, as an operator does."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder)
        return finish_command(start_command(*words, output=output, **environment), output)


def start_server(port: int, log_file: Path, **environment: str) -> BaseProcess:
    """Start the portal on a port without waiting for it, at the head of a group of processes of its own.

    What it writes goes to `log_file`. It doesn't end by itself: end its group.
    """
    process = FORKS.Process(target=_serve, args=({**os.environ, **environment}, port, log_file))
    _start(process)
    return process


def _start(process: BaseProcess) -> None:
    """Start a process without the main module of this one: pytest's, or a page's that was run here, would be run there too."""
    main, sys.modules["__main__"] = sys.modules["__main__"], ModuleType("__main__")
    try:
        process.start()
    finally:
        sys.modules["__main__"] = main


def _exit_code(process: BaseProcess) -> int:
    if process.exitcode is None:
        kill_process(process)
        raise TimeoutError("The process did not end in time.")
    return process.exitcode


def _enter(environment: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)


def _work(environment: Mapping[str, str], work: Callable[..., object], arguments: tuple[Any, ...]) -> None:
    _enter(environment)
    work(*arguments)


def _command(environment: Mapping[str, str], words: tuple[str, ...], output: Path) -> None:
    _enter(environment)
    _write_to(output / "stdout", 1)
    _write_to(output / "stderr", 2)
    sys.argv = ["manage.py", *words]
    runpy.run_path(str(ROOT / "manage.py"), run_name="__main__")


def _serve(environment: Mapping[str, str], port: int, log_file: Path) -> None:
    _enter(environment)
    os.setsid()
    _write_to(log_file, 1, 2)
    sys.argv = ["streamlit", "run", "app.py", "--server.port", str(port)]
    streamlit(standalone_mode=False)


def _write_to(file: Path, *descriptors: int) -> None:
    """Let what goes to these descriptors of this process go to a file instead."""
    opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for descriptor in descriptors:
        os.dup2(opened, descriptor)
    os.close(opened)
