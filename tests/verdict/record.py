"""Records what the curl of this machine prints in each situation: `python -m tests.verdict.record`."""

import json
import subprocess
from dataclasses import asdict
from pathlib import Path

from pytest_ambient.verdict.call import DELETE, GET, HEAD, Call
from pytest_ambient.verdict.curl import Row, arguments
from tests.verdict.server import Server, serving

RECORDED = Path(__file__).parent / "recorded"
TOKEN = "c0ffee5ca1ab1e0ddba11ad0be5eeded"


def situations(server: Server) -> dict[str, Call]:
    """A call for each situation, by name."""
    here = f"http://127.0.0.1:{server.port}"
    paths = {
        "0-answered": "/reviews/0",
        "0-through-waypoint": "/through-waypoint",
        "0-application-403": "/application-403",
        "0-application-503": "/application-503",
        "0-waypoint-403": "/waypoint-403",
        "0-waypoint-401": "/waypoint-401",
        "0-waypoint-503": "/waypoint-503",
        "0-no-healthy-upstream": "/no-healthy-upstream",
        "0-no-route": "/no-route",
        "0-binary": "/binary",
        "0-nothing": "/nothing",
        "18-cut-short": "/cut-short",
        "22-fail": "/waypoint-403",
        "28-silent": "/silent",
        "52-empty": "/empty",
        "56-reset": "/reset",
        "56-reset-in-body": "/reset-in-body",
    }
    return {name: GET(here + path) for name, path in paths.items()} | {
        "0-application-405": DELETE(f"{here}/application-405"),
        "0-waypoint-403-head": HEAD(f"{here}/waypoint-403"),
        "0-three-times": GET(f"{here}/reviews/0", count=3),
        "0-signed-in": GET(f"{here}/reviews/0", signed_in="normal"),
        "6-no-address": GET("http://nosuch.invalid/"),
        "7-refused": GET(f"http://127.0.0.1:{server.closed}/"),
        "28-never-connected": GET(f"http://127.0.0.1:{server.full}/"),
        "35-no-tls": GET(f"https://127.0.0.1:{server.port}/"),
    }


def record(name: str, call: Call) -> dict[str, object]:
    """One run of curl as data; its output, byte by byte, as latin-1 text."""
    row = Row(call, timeout=1.0, connect_timeout=0.5)
    argv = ["curl", *arguments([row], TOKEN), *(["--fail"] if name == "22-fail" else [])]
    ran = subprocess.run(argv, capture_output=True, timeout=30, check=False)
    return {
        "call": asdict(call),
        "argv": argv,
        "exit": ran.returncode,
        "stdout": ran.stdout.decode("latin-1"),
        "stderr": ran.stderr.decode("latin-1"),
    }


def main() -> None:
    """Writes a file for each situation."""
    RECORDED.mkdir(exist_ok=True)
    with serving() as server:
        for name, call in situations(server).items():
            text = json.dumps(record(name, call), indent=1)
            (RECORDED / f"{name}.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
