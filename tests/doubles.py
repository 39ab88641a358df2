"""Recording doubles of commands: scripts on PATH that write down how they are called and replay recorded answers."""

import json
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

SCRIPT = """#!{python} -S
import json, os, re, sys, time
folder, name = {folder!r}, {name!r}
with open(os.path.join(folder, name + ".calls"), "a") as calls:
    calls.write(json.dumps({{"argv": sys.argv[1:], "env": dict(os.environ), "stdin": None}}) + "\\n")
line = " ".join(sys.argv[1:])
with open(os.path.join(folder, name + ".json")) as file:
    answers = json.load(file)
seen = os.path.join(folder, name + ".seen")
for index, answer in enumerate(answers):
    if not re.fullmatch(answer["line"], line, re.DOTALL):
        continue
    used = []
    if os.path.exists(seen):
        with open(seen) as file:
            used = file.read().split()
    if answer["times"] is not None and used.count(str(index)) >= answer["times"]:
        continue
    with open(seen, "a") as file:
        file.write(str(index) + "\\n")
    time.sleep(answer["seconds"])
    for path, text in answer["files"].items():
        path = re.fullmatch(answer["line"], line, re.DOTALL).expand(path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
    sys.stdout.write(answer["stdout"])
    sys.stderr.write(answer["stderr"])
    sys.exit(answer["status"])
sys.stderr.write("the double of " + name + " has no answer to: " + line + "\\n")
sys.exit(97)
"""


@dataclass(frozen=True)
class Called:
    """One call of a double."""

    argv: tuple[str, ...]
    env: dict[str, str]

    @property
    def line(self) -> str:
        """The arguments, joined by blanks."""
        return " ".join(self.argv)


@dataclass(frozen=True)
class Doubles:
    """A folder of doubles; put it first on PATH: `monkeypatch.setenv("PATH", doubles.path)`."""

    folder: Path

    @property
    def path(self) -> str:
        """A PATH on which nothing but the doubles and the system's own programs are found."""
        return os.pathsep.join((str(self.folder), "/usr/bin", "/bin"))

    def answer(
        self,
        name: str,
        line: str,
        stdout: str = "",
        *,
        stderr: str = "",
        status: int = 0,
        seconds: float = 0.0,
        times: int | None = None,
        files: dict[str, str] | None = None,
    ) -> None:
        r"""Let `name` answer whole argument lines that match the pattern `line`; the first answer that fits wins.

        `files` are written first, by path; `\1` or `\g<kubeconfig>` in a path stands for a group of the pattern.
        `times` ends an answer after so many uses, so that a later one takes its turn.
        """
        answers = self._answers(name)
        answers.append(
            {
                "line": line, "stdout": stdout, "stderr": stderr, "status": status,
                "seconds": seconds, "times": times, "files": files or {},
            }
        )  # fmt: skip
        re.compile(line)
        (self.folder / f"{name}.json").write_text(json.dumps(answers))
        script = self.folder / name
        script.write_text(SCRIPT.format(python=sys.executable, folder=str(self.folder), name=name))
        script.chmod(0o755)

    def calls(self, name: str) -> list[Called]:
        """Every call of `name` so far, in order."""
        path = self.folder / f"{name}.calls"
        lines = path.read_text().splitlines() if path.exists() else []
        return [Called(tuple(call["argv"]), call["env"]) for call in map(json.loads, lines)]

    def lines(self, name: str) -> list[str]:
        """The argument lines of every call of `name` so far."""
        return [call.line for call in self.calls(name)]

    def _answers(self, name: str) -> list[dict[str, object]]:
        path = self.folder / f"{name}.json"
        return list(json.loads(path.read_text())) if path.exists() else []


def alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Doubles:
    """Doubles that are found before all else, with an empty cache of downloads beside them."""
    (folder / "bin").mkdir()
    made = Doubles(folder / "bin")
    monkeypatch.setenv("PATH", made.path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    return made
