"""What the plugin costs a project that does not use it: paired runs with the plugin on and switched off.

Time by the clock, and of the processor, which other work on the machine disturbs less.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PAIRS = 25


def seconds(folder: Path, *options: str) -> tuple[float, float]:
    """Time by the clock and of the processor of one run of pytest over one empty test."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
    run = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(run.pid, 0)
    if status:
        raise SystemExit(f"{command} failed")
    return time.perf_counter() - began, used.ru_utime + used.ru_stime


def main() -> None:
    """Print the median difference of the pairs, and the ratio of the medians."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test_nothing.py").write_text("def test_nothing():\n    pass\n")
        seconds(folder)
        pairs = [(seconds(folder), seconds(folder, "-p", "no:ambient")) for _ in range(PAIRS)]
    for index, clock in enumerate(("by the clock", "of the processor")):
        chosen = [(first[index], second[index]) for first, second in pairs]
        on, off = (statistics.median(column) for column in zip(*chosen, strict=True))
        difference = statistics.median(first - second for first, second in chosen)
        print(f"{clock}: plugin on {1000 * on:.1f} ms, off {1000 * off:.1f} ms: ratio {on / off:.3f}")
        print(f"  median difference of {PAIRS} pairs: {1000 * difference:.1f} ms")


if __name__ == "__main__":
    main()
