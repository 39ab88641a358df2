"""Asks what a recorded probe asked, from the same workload: one exec for all probes of a source."""

import re
import secrets
import shlex
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from .cluster import Bench
from .recording import Step
from .words import OWN_PAGE

REFUSED = {52, 56}
"""curl's exits for a connection that was refused at L4: which of the two is chance."""


@dataclass(frozen=True)
class Answer:
    """What curl said: its exit, the status line, headers by lower-case name and the body."""

    exit: int
    status: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""

    @property
    def code(self) -> int:
        """The HTTP status; 0 without one."""
        found = re.match(r"HTTP/\S+ (\d+)", self.status)
        return int(found[1]) if found else 0


Translate = Callable[[str], str]


def ask(bench: Bench, probes: Sequence[Step], translate: Translate) -> list[Answer]:
    """An answer to each probe, asked in order within a source, sources side by side."""
    sources = sorted({probe["from"] for probe in probes})
    with ThreadPoolExecutor(max_workers=max(len(sources), 1)) as pool:
        asked = [
            pool.submit(_ask, bench, source, [each for each in probes if each["from"] == source], translate)
            for source in sources
        ]
        answers = {source: iter(each.result()) for source, each in zip(sources, asked, strict=True)}
    return [next(answers[probe["from"]]) for probe in probes]


def _ask(bench: Bench, source: str, probes: Sequence[Step], translate: Translate) -> list[Answer]:
    token = secrets.token_hex(8)
    if "shell" in probes[0]:
        return _sent(bench, source, probes, translate, token)
    script = "\n".join(
        f"curl {shlex.join(_arguments(probe, translate))}; printf '\\n%s %s\\n' {token} $?" for probe in probes
    )
    output = bench.exec(source, script)
    parts = re.split(rf"\n{token} (\d+)\n", output)
    found = [_read(int(code), text) for text, code in zip(parts[::2], parts[1::2], strict=False)]
    return found + [Answer(-1, body=output)] * (len(probes) - len(found))


def _arguments(probe: Step, translate: Translate) -> list[str]:
    words = [translate(str(word)) for word in probe["curl"]]
    words = [word.replace(*OWN_PAGE) for word in words]
    return ["-sS", "--max-time", str(probe.get("within", 8)), "-i", *words]


def _read(code: int, text: str) -> Answer:
    text = text.replace("\r\n", "\n")
    while text.startswith("HTTP/") and "\n\nHTTP/" in text:
        text = text.partition("\n\n")[2]
    head, _, body = text.partition("\n\n")
    lines = head.split("\n")
    if not lines[0].startswith("HTTP/"):
        return Answer(code, body=text)
    pairs = tuple((name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines[1:]))
    return Answer(code, lines[0].rstrip(), pairs, body)


def _sent(bench: Bench, source: str, probes: Sequence[Step], translate: Translate, token: str) -> list[Answer]:
    """What came back of a line sent over plain TCP."""
    commands = []
    for number, probe in enumerate(probes):
        line = translate(probe["shell"])
        commands.append(f"( o=$({line}); printf '%s %s %s\\n' {token} {number} \"$o\" ) &")
    output = bench.exec(source, "\n".join([*commands, "wait"]))
    found = {int(number): text for number, text in re.findall(rf"^{token} (\d+) (.*)$", output, re.MULTILINE)}
    return [Answer(0, body=found.get(number, "?")) for number in range(len(probes))]


def burst(bench: Bench, step: Step, translate: Translate) -> dict[str, int]:
    """How many of `n` requests, each on its own connection, were answered by which backend or how."""
    token = secrets.token_hex(8)
    *words, url = [translate(str(word)) for word in step["curl"]]
    command = shlex.join(["curl", "-s", "-m", "8", "-H", "Connection: close", *words])
    script = f"{command} -w '\\n{token} %{{exitcode}} %{{http_code}}\\n' '{url}#[1-{step['n']}]'"
    counts: dict[str, int] = {}
    parts = re.split(rf"\n{token} (\d+) (\d+)\n", bench.exec(step["from"], script))
    for body, code, status in zip(parts[::3], parts[1::3], parts[2::3], strict=False):
        served = re.search(r'"podname": ?"(reviews-v\d)', body)
        key = "refused" if int(code) in REFUSED else served[1] if served else status
        counts[key] = counts.get(key, 0) + 1
    return counts
