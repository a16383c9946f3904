"""Servers to measure: the portal as `make run` starts it, and an empty Streamlit app of the same version beside it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from services.core.settings import ROOT
from tests.browser.harness import free_port

EMPTY_APP = 'import streamlit as st\n\nst.title("Empty")\nst.write("Nothing here.")\n'
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Served:
    """A server that runs: its address, its process, and the processor time it had taken when it first answered."""

    url: str
    pid: int
    start_cpu: float
    start_seconds: float

    def cpu(self) -> float:
        """Seconds of processor time that the process has taken so far."""
        return cpu_of(self.pid)

    def memory_mb(self) -> float:
        """Memory that the process holds now, in MB."""
        return _status_of(self.pid, "VmRSS")

    def peak_mb(self) -> float:
        """The most memory that the process has held, in MB."""
        return _status_of(self.pid, "VmHWM")

    def threads(self) -> int:
        """How many threads the process has."""
        return len(list(Path(f"/proc/{self.pid}/task").iterdir()))


def cpu_of(pid: int) -> float:
    """Seconds of processor time that a process has taken, all its threads together."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _status_of(pid: int, name: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) / 1024


@contextmanager
def run_portal(database_url: str, folder: Path, env: Mapping[str, str] | None = None) -> Iterator[Served]:
    """The portal by `manage.py run`, on a register that is there already."""
    port = free_port()
    whole = {"DATABASE_URL": database_url, "FMAR_MODE": "demo", "FMAR_ANCHOR_FILE": str(folder / "anchors.jsonl")}
    command = [sys.executable, "manage.py", "run", "--port", str(port)]
    with _run(command, ROOT, {**whole, **(env or {})}, port, folder / f"portal-{port}.log") as served:
        yield served


@contextmanager
def run_empty_app(folder: Path) -> Iterator[Served]:
    """An empty Streamlit app with Streamlit's own settings."""
    port = free_port()
    app = folder / "empty_app.py"
    app.write_text(EMPTY_APP, encoding="utf-8")
    options = ["--server.headless", "true", "--browser.gatherUsageStats", "false", "--server.fileWatcherType", "none"]
    command = [sys.executable, "-m", "streamlit", "run", str(app), "--server.port", str(port), *options]
    with _run(command, folder, {}, port, folder / f"empty-{port}.log") as served:
        yield served


@contextmanager
def _run(command: list[str], cwd: Path, env: Mapping[str, str], port: int, log_file: Path) -> Iterator[Served]:
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            command, cwd=cwd, env={**os.environ, **env}, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        seconds = _wait_until_healthy(process, port, log_file)
        yield Served(f"http://localhost:{port}", process.pid, cpu_of(process.pid), seconds)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=60)


def _wait_until_healthy(process: subprocess.Popen[bytes], port: int, log_file: Path) -> float:
    started = time.monotonic()
    while time.monotonic() - started < 180:
        if process.poll() is not None:
            raise RuntimeError(f"The server ended at its start:\n{log_file.read_text(errors='replace')[-3000:]}")
        try:
            if httpx.get(f"http://127.0.0.1:{port}/_stcore/health", timeout=2, trust_env=False).is_success:
                return time.monotonic() - started
        except httpx.HTTPError:
            time.sleep(0.02)
    raise RuntimeError(f"The server did not answer: {log_file.read_text(errors='replace')[-3000:]}")
