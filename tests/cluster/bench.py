"""Stands in for the embedded cluster's process: serves, dies, hangs or refuses to end, by its name."""

import argparse
import json
import os
import signal
import sys
import time
from pathlib import Path


def main() -> None:
    """Behave as the name says."""
    parser = argparse.ArgumentParser()
    for flag in ("--state", "--name", "--nodes", "--owner-pid"):
        parser.add_argument(flag)
    parser.add_argument("--fault", action="append")
    given = parser.parse_args()
    state = Path(given.state)
    (state / "arguments.json").write_text(json.dumps(vars(given)))
    if given.name == "dies":
        sys.stderr.write("address 127.64.0.0/16 is taken\n")
        sys.exit(1)
    if given.name == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if given.name == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if given.name != "hangs":
        ready = {"name": given.name, "kubeconfig": str(state / "kubeconfig"), "context": given.name, "pid": 1}
        (state / "ready.new").write_text(json.dumps(ready))
        (state / "ready.new").replace(state / "ready.json")
    (state / "envoy.log").write_text("a proxy's line\n")
    time.sleep(60)


if __name__ == "__main__":
    main()
