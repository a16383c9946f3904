"""``python -m sandbox --port 8700``: the sandbox systems as a server of their own, faults on request included."""

import argparse
import os

import uvicorn

from sandbox.app import create_app


def main() -> None:
    """Serve until interrupted. Keys come from the environment, so that they stand in no process list."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8700)
    given = parser.parse_args()
    key = os.environ.get("SANDBOX_KEY", "sandbox")
    app = create_app(key, signing_key=os.environ.get("SANDBOX_SIGNING_KEY") or None, control=True)
    uvicorn.run(app, host=given.host, port=given.port, log_level="info")


if __name__ == "__main__":
    main()
