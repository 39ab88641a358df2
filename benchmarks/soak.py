"""The suite again and again in shuffled order under `-n 2`: which verdicts differ from one run to another.

`python benchmarks/soak.py [RUNS [FIRST]] [--starved]`, with pytest-randomly installed; FIRST is the seed of the first
run (1), `--starved` keeps a busy loop running for each core.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SUITE = Path(__file__).parent.parent / "conformance"
BUSY = "while True: pass"
QUIET = ("holds", "skipped", "unsupported")


def main() -> int:
    """Run the suite so often; 1 if any case has had two different verdicts."""
    said = [int(word) for word in sys.argv[1:] if word.isdigit()]
    runs, first = (said + [3, 1][len(said) :])[:2]
    words: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    with starved() if "--starved" in sys.argv else unhindered():
        for seed in range(first, first + runs):
            began = time.perf_counter()
            lines = results(seed)
            found = {line["nodeid"]: line["word"] for line in lines}
            counted = ", ".join(f"{count} {word}" for word, count in Counter(found.values()).most_common())
            print(f"  run {seed:3}  {time.perf_counter() - began:6.1f} s  {counted}", flush=True)
            for line in lines:
                words[line["nodeid"]][line["word"]].append(seed)
                if line["word"] not in QUIET:
                    print(f"  {line['word']}  {line['nodeid']}: {line['reason']}", flush=True)
    differing = {case: by for case, by in words.items() if len(by) > 1}
    for case, by in sorted(differing.items()):
        print(f"  differs  {case}: " + "; ".join(f"{word} in runs {seeds}" for word, seeds in by.items()))
    print(f"  {len(words)} cases, {runs} runs, {len(differing)} with differing verdicts")
    return 1 if differing else 0


def results(seed: int) -> list[dict[str, Any]]:
    """What came of each case, a line of the results each; the order of the run follows from the seed."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pytest", str(SUITE), "--ambient-cluster=embedded"]
        command += [f"--ambient-report={folder}", "-n", "2", "-p", "no:cacheprovider", "-q"]
        command += [f"--randomly-seed={seed}", "--no-loadscope-reorder"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        file = Path(folder) / "results.jsonl"
        if not file.exists():
            raise SystemExit(f"run {seed} left no results:\n{done.stdout[-4000:]}{done.stderr[-2000:]}")
        lines = [json.loads(line) for line in file.read_text().splitlines()]
    return [line for line in lines if "nodeid" in line]


@contextmanager
def unhindered() -> Iterator[None]:
    """The machine as it is."""
    yield


@contextmanager
def starved() -> Iterator[None]:
    """A busy loop for each core for as long as this lasts."""
    loops = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


if __name__ == "__main__":
    sys.exit(main())
