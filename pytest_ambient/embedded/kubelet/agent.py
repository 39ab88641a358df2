"""`pilot-agent request` of Istio's proxy image: asks the pod's own Envoy, as `curl localhost:15000` would.

Run by itself in a container's environment; the standard library is all it needs.
"""

import contextlib
import http.client
import os
import socket
import sys
from collections.abc import Sequence

ADMIN = "AMBIENT_ADMIN"
"""The variable with the socket behind the pod's port 15000."""
PORT = 15000


class _Local(http.client.HTTPConnection):
    """A connection to a Unix socket."""

    def connect(self) -> None:
        """Connect."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(os.environ[ADMIN])


def main(argv: Sequence[str]) -> int:
    """Print what Envoy answers and return the exit code."""
    if argv[:1] != ["request"] or not 3 <= len(argv) <= 4:
        _complain("of pilot-agent the embedded cluster has: request METHOD PATH [BODY]")
        return 255
    method, path, body = argv[1].upper(), argv[2].lstrip("/"), "".join(argv[3:])
    try:
        with contextlib.closing(_Local("localhost", PORT)) as talk:
            talk.request(method, f"/{path}", body or None)
            answer = talk.getresponse()
            text = answer.read()
    except OSError as error:
        _complain(f"command failed: {error.strerror or error}")
        return 255
    if answer.status != 200:
        _complain(f"received unsuccessful status code {answer.status}: {text.decode(errors='replace')}")
        return 255
    sys.stdout.buffer.write(text)
    return 0


def _complain(text: str) -> None:
    sys.stderr.write(f"Error: {text}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
