"""What a run and all processes that it starts take of the processor, by what they are; read from /proc meanwhile."""

import os
import subprocess
import time
from collections import defaultdict
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
EVERY = 0.1
SERVER, ENVOYS, COMMANDS, OTHER = "embedded cluster", "Envoys", "curl and other commands in pods", "other"


def watched(run: "subprocess.Popen[str]") -> dict[str, float]:
    """Seconds of the processor until a run has ended."""
    kinds: dict[int, str] = {}
    seconds: dict[int, float] = {}
    ended: dict[int, float] = {}
    gone = set[int]()
    while run.poll() is None:
        parents = {}
        for entry in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = entry.read_text().rpartition(")")[2].split()
            except OSError:  # it has just ended
                continue
            pid = int(entry.parent.name)
            parents[pid] = int(fields[1])
            seconds[pid], ended[pid] = (sum(map(int, fields[at : at + 2])) / TICK for at in (11, 13))
        for pid in sorted(_family(run.pid, parents) - kinds.keys()):
            found = _kind(pid, run.pid)
            inside = found == OTHER and kinds.get(parents.get(pid, 0)) == SERVER
            kinds[pid] = COMMANDS if inside else found
        if any(kinds.get(pid) == SERVER for pid in parents):
            gone |= {pid for pid, kind in kinds.items() if kind == ENVOYS and pid not in parents}
        time.sleep(EVERY)
    spent: dict[str, float] = defaultdict(float)
    for pid, kind in kinds.items():
        spent[kind] += seconds.get(pid, 0.0) if kind != COMMANDS else 0  # they are counted once they have ended
        spent[COMMANDS] += ended.get(pid, 0.0) if kind == SERVER else 0
    # children of the server like them, and counted with them where they ended before it
    spent[COMMANDS] -= sum(seconds[pid] for pid in gone)
    return spent


def _family(root: int, parents: dict[int, int]) -> set[int]:
    found = {root}
    while more := {pid for pid, parent in parents.items() if parent in found and pid not in found}:
        found |= more
    return found


def _kind(pid: int, root: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        words = []
    if "pytest_ambient.embedded" in words:
        return SERVER
    if "--config-path" in words:
        return ENVOYS
    return "pytest" if pid == root or "-c" in words else OTHER
