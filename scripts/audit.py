"""Known vulnerabilities in what we install, by pip-audit; a database out of reach is told apart from nothing known."""

import subprocess
import sys

VULNERABLE, NOT_LOOKED = 1, 3
"""Exit codes. With `--offline-ok`, as on a machine without network, not having looked is told and counts as 0."""
UNREACHABLE = (
    "ConnectionError",
    "Max retries exceeded",
    "ServiceError",
    "Failed to",
    "403",
    "Name or service not known",
)
NOT_DONE = (
    "pip-audit: NOT LOOKED AT: {why}. Nothing is known about vulnerabilities: run it where its database can be reached."
)


def main(arguments: list[str]) -> int:
    """0 when nothing is known, `VULNERABLE`, or `NOT_LOOKED` when nobody could be asked."""
    not_looked = 0 if "--offline-ok" in arguments else NOT_LOOKED
    command = [sys.executable, "-m", "pip_audit", "--local", "--progress-spinner", "off", "--timeout", "10"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    except subprocess.TimeoutExpired:
        print(NOT_DONE.format(why="its database did not answer in two minutes"))
        return not_looked
    output = done.stdout + done.stderr
    if done.returncode == 0:
        print("pip-audit: nothing known.")
        return 0
    if "Found" in output and "vulnerabilit" in output:
        print(output)
        return VULNERABLE
    if any(sign in output for sign in UNREACHABLE):
        print(NOT_DONE.format(why="its database can't be reached from here"))
        return not_looked
    print(output)
    return VULNERABLE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
