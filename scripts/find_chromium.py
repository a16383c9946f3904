"""Find a Chromium for the browser tests; with --install, get one by what this machine offers, or say what to do."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.harness import find_chromium


def find() -> str | None:
    """Path of a browser: from CHROMIUM, the search path, or Playwright's own folder; None when there is none."""
    if found := find_chromium():
        return found
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else None


def install() -> None:
    """Try Debian's package (as root), then Playwright's download."""
    if shutil.which("apt-get") and os.geteuid() == 0:
        print("Installing Chromium with apt-get ...", flush=True)
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"]
        if subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode == 0:
            return
    print("Downloading Chromium with Playwright ...", flush=True)
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)


if __name__ == "__main__":
    if find() is None and "--install" in sys.argv:
        install()
    browser = find()
    if browser is None:
        sys.exit(
            "The browser tests need Chromium, and none was found or could be installed. Install it with your system's "
            "package manager (Debian, Ubuntu: apt-get install chromium), or set CHROMIUM to the path of one."
        )
    print(f"Browser tests use {browser}")
