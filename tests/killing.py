"""Processes of the register that a test starts and kills."""

import os
import signal
import subprocess
import sys

from services.core.settings import ROOT


def start_process(code: str, register: str) -> subprocess.Popen[str]:
    """A process that runs `code` on a register; it has printed "ready" when this returns."""
    env = {**os.environ, "DATABASE_URL": register, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "ready"
    return process


def kill_process(process: subprocess.Popen[str]) -> None:
    """End a process in the middle of whatever it does."""
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=30)
