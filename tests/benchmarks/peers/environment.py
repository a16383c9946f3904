"""Environments for peers: made once under var/bench/peers, of what peers/requirements.txt names."""

import hashlib
import subprocess
import sys
from pathlib import Path

from services.core.settings import ROOT

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "requirements.txt"


class NotInstallable(Exception):
    """A peer can't be had here: no network, or no package for this Python."""


def peer_python() -> Path:
    """The interpreter of the peers' environment, made if it isn't there. Raises NotInstallable, saying what pip said."""
    edition = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]
    folder = ROOT / "var" / "bench" / "peers" / f"{edition}-{sys.version_info.major}.{sys.version_info.minor}"
    python, done = folder / "bin" / "python", folder / "installed"
    if not done.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        _run([sys.executable, "-m", "venv", "--clear", str(folder)])
        _run([str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", str(REQUIREMENTS)])
        done.touch()
    return python


def _run(command: list[str]) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=600)
    except subprocess.CalledProcessError as error:
        said = (error.stderr or error.stdout).strip().splitlines()
        raise NotInstallable(said[-1] if said else f"{command[0]} ended with {error.returncode}") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotInstallable(str(error)) from None
