"""Where the time of the conformance suite goes on the embedded cluster: by step, by rule, and until effect."""

import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path


def main() -> None:
    """Run the suite once and print its table of times."""
    with tempfile.TemporaryDirectory() as name:
        report = Path(name)
        suite = Path(__file__).parent.parent / "conformance"
        command = [sys.executable, "-m", "pytest", str(suite), "--ambient-cluster=embedded"]
        command += [f"--ambient-report={report}", f"--junitxml={report / 'junit.xml'}", "-p", "no:cacheprovider"]
        began = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        total = time.perf_counter() - began
        lines = [json.loads(line) for line in (report / "results.jsonl").read_text().splitlines()]
        junit = (report / "junit.xml").read_text()
    print(done.stdout.splitlines()[-1])
    for step in re.findall(r"^ambient: ((?:cluster|mesh|bookinfo|removed).* [\d.]+ s)$", done.stdout, re.MULTILINE):
        print(f"  step  {step}")
    spent: dict[str, float] = defaultdict(float)
    for module, seconds in re.findall(r'<testcase classname="([^"]*)"[^>]* time="([\d.]+)"', junit):
        spent[module.rpartition(".")[2]] += float(seconds)
    for module, seconds in sorted(spent.items(), key=lambda entry: -entry[1]):
        print(f"  rule  {module:34} {seconds:6.1f} s  {seconds / total:6.1%} of the run")
    effects = [line["stable_ms"] for line in lines if line.get("stable_ms")]
    print(f"  apply to stable effect: median {statistics.median(effects):.0f} ms, slowest {max(effects):.0f} ms")
    print(f"  whole run {total:.1f} s")


if __name__ == "__main__":
    main()
