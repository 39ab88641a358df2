"""Where the time of the conformance suite goes on the embedded cluster: by step, by rule, by process, until effect.

With `--core` rows of level core alone; whatever else is said goes to pytest: `-n 2`, a folder.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from processor import watched

HERE = Path(__file__).parent


def main() -> None:
    """Run the suite once and print its table of times."""
    with tempfile.TemporaryDirectory() as name:
        report = Path(name)
        said = sys.argv[1:]
        core = ["-p", "core"] if "--core" in said else []
        said = [word for word in said if word != "--core"]
        suite = [] if any(Path(word).exists() for word in said) else [str(HERE.parent / "conformance")]
        command = [sys.executable, "-m", "pytest", *suite, *said, *core, "--ambient-cluster=embedded"]
        command += [f"--ambient-report={report}", f"--junitxml={report / 'junit.xml'}", "-p", "no:cacheprovider"]
        began = time.perf_counter()
        environment = {**os.environ, "PYTHONPATH": f"{HERE}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
        with (report / "told").open("w+") as told:
            run = subprocess.Popen(command, stdout=told, stderr=subprocess.STDOUT, env=environment, text=True)
            processor = watched(run)
            total = time.perf_counter() - began
            told.seek(0)
            output = told.read()
        lines = [json.loads(line) for line in (report / "results.jsonl").read_text().splitlines()]
        junit = (report / "junit.xml").read_text()
    print(output.splitlines()[-1])
    for step in re.findall(r"^ambient: ((?:cluster|mesh|bookinfo|removed).* [\d.]+ s)$", output, re.MULTILINE):
        print(f"  step  {step}")
    spent: dict[str, float] = defaultdict(float)
    for module, seconds in re.findall(r'<testcase classname="([^"]*)"[^>]* time="([\d.]+)"', junit):
        spent[module.rpartition(".")[2]] += float(seconds)
    for module, seconds in sorted(spent.items(), key=lambda entry: -entry[1]):
        print(f"  rule  {module:34} {seconds:6.1f} s  {seconds / total:6.1%} of the run")
    for kind, seconds in sorted(processor.items(), key=lambda entry: -entry[1]):
        print(f"  processor  {kind:34} {seconds:6.1f} s  {seconds / sum(processor.values()):6.1%}")
    effects = [line["stable_ms"] for line in lines if line.get("stable_ms")]
    print(f"  apply to stable effect: median {statistics.median(effects):.0f} ms, slowest {max(effects):.0f} ms")
    print(f"  whole run {total:.1f} s")


if __name__ == "__main__":
    main()
