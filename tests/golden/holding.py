"""A connection that is kept open across changes."""

import subprocess
import threading
import time

from .cluster import Bench


class Connection:
    """One connection over which requests go on, four a second."""

    def __init__(self, bench: Bench, source: str, url: str) -> None:
        self.lines: list[str] = []
        script = ["curl", "-sS", "--rate", "4/s", "-o", "/dev/null", "-w", r"%{stderr}%{num_connects} %{http_code}\n"]
        namespace = source.split("/")[0]
        self._process: subprocess.Popen[str] = bench.start(
            "exec", "-n", namespace, bench.pod(source), "--", *script, f"{url}#[1-100]"
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        deadline = time.monotonic() + 5
        while len(self.lines) < 2 and time.monotonic() < deadline:
            time.sleep(0.02)

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.lines.append(line.strip())

    @property
    def word(self) -> str:
        """`kept`, or `closed` when a later request needed a new connection or got none."""
        later = self.lines[1:]
        return "kept" if all(line == "0 200" for line in later) and later else "closed"

    def end(self) -> None:
        """Stop asking."""
        self._process.kill()
        self._process.wait()
        self._reader.join(5)
        if self._process.stderr is not None:
            self._process.stderr.close()
