"""A headless Chromium, spoken to by its own protocol: opens a page, evaluates, and knows what its console said."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import websocket

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--remote-debugging-port=0",
    "--remote-allow-origins=*",
)  # fmt: skip
WITHIN = 30.0


def found() -> str | None:
    """The browser of this machine, if it has one."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Page:
    """One page in the browser."""

    def __init__(self, url: str) -> None:
        self._socket = websocket.create_connection(url, timeout=WITHIN)
        self._number = 0
        self.complaints: list[str] = []
        """Errors and warnings of the console, and exceptions."""
        for domain in ("Page", "Runtime", "Log"):
            self.send(f"{domain}.enable")

    def open(self, path: Path, width: int, *, dark: bool = False) -> None:
        """Load a file at a width, in pixels."""
        phone = width < 600
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=phone)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", features=[scheme])
        self.send("Page.navigate", url=path.as_uri())
        deadline = time.monotonic() + WITHIN
        ready = f"document.readyState === 'complete' && location.pathname === {json.dumps(str(path))}"
        while not self.evaluate(ready) and time.monotonic() < deadline:
            time.sleep(0.02)

    def evaluate(self, script: str) -> Any:
        """The value of an expression in the page."""
        answer = self.send("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        """Press a key and let it go."""
        text = {"text": key} if len(key) == 1 else {}
        for kind in ("keyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, key=key, **(text if kind == "keyDown" else {}))

    def send(self, method: str, **parameters: object) -> Any:
        """The answer to a command; what comes in between is looked through for complaints."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            said = json.loads(self._socket.recv())
            if said.get("id") == self._number:
                assert "error" not in said, said
                return said["result"]
            self._hear(said)

    def close(self) -> None:
        """End the conversation."""
        self._socket.close()

    def _hear(self, said: Any) -> None:
        about = said.get("params", {})
        if said.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(str(about["exceptionDetails"]))
        elif said.get("method") == "Log.entryAdded" and about["entry"]["level"] in ("error", "warning"):
            self.complaints.append(about["entry"]["text"])
        elif said.get("method") == "Runtime.consoleAPICalled" and about["type"] in ("error", "warning", "assert"):
            self.complaints.append(str(about["args"]))


@contextmanager
def browsing(folder: Path) -> Iterator[Page]:
    """A page in a browser of its own, which ends with it; `folder` is its profile."""
    command = [str(found()), *FLAGS, f"--user-data-dir={folder}", "about:blank"]
    with (folder / "log").open("w") as log:
        child = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        page = Page(_address(folder, child))
        try:
            yield page
        finally:
            page.close()
    finally:
        child.terminate()
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait(10)


def _address(folder: Path, child: "subprocess.Popen[bytes]") -> str:
    """Where the browser listens, as it writes down itself."""
    port, deadline = folder / "DevToolsActivePort", time.monotonic() + WITHIN
    while not (port.exists() and "\n" in port.read_text()):
        assert child.poll() is None, (folder / "log").read_text()
        assert time.monotonic() < deadline, (folder / "log").read_text()
        time.sleep(0.05)
    with urlopen(f"http://127.0.0.1:{port.read_text().split()[0]}/json/list", timeout=WITHIN) as answer:
        return str(next(one for one in json.load(answer) if one["type"] == "page")["webSocketDebuggerUrl"])
