"""What a case costs in the suite beside the same looks by hand, one bare `kubectl exec … curl` each, in one run.

A look is what both take: the control, each round until the effect is stable, the look after the hold and the control
again. The hold itself, one second for each manifest, is in the suite's time and not in the other.
"""

import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cluster import Cluster, cluster

MODULES = ("l4/test_allow_principal", "l7/test_allow_method", "l7/test_match_path", "l7/test_match_header")
CALL = ("exec", "deploy/curl", "--", "curl", "-s", "-o", "/dev/null", "http://productpage:9080/productpage")


def suite(up: Cluster) -> tuple[int, int, float]:
    """Cases, their looks, and the seconds of all their tests, Bookinfo's installation left out."""
    folder = Path(__file__).parent.parent / "conformance"
    with tempfile.TemporaryDirectory() as name:
        command = [sys.executable, "-m", "pytest", *(str(folder / f"{each}.py") for each in MODULES)]
        command += ["--ambient-cluster=existing", f"--ambient-kubeconfig={up.kubeconfig}", f"--ambient-report={name}"]
        command += [f"--junitxml={name}/junit.xml", "--ambient-artifacts=off", "-p", "no:cacheprovider"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        lines = [json.loads(line) for line in (Path(name) / "results.jsonl").read_text().splitlines()]
        times = re.findall(r'<testcase [^>]* time="([\d.]+)"', (Path(name) / "junit.xml").read_text())
    installing = re.findall(r"^ambient: (?:mesh|bookinfo).* ([\d.]+) s$", done.stdout, re.MULTILINE)
    attempts = [line["attempts"] for line in lines if line.get("attempts")]
    return len(attempts), sum(attempts) + 3 * len(attempts), sum(map(float, times)) - sum(map(float, installing))


def by_hand(up: Cluster, looks: int) -> float:
    """Seconds for so many bare calls, one after the other."""
    began = time.perf_counter()
    for _ in range(looks):
        up.kubectl(*CALL)
    return time.perf_counter() - began


def main() -> None:
    """Print seconds per case of both, and their ratio."""
    with cluster() as up:
        cases, looks, ours = suite(up)
        hand = by_hand(up, looks)
    print(f"{cases} cases, {looks} looks: {ours / cases:.2f} s a case in the suite, holds included")
    print(f"by hand, a bare kubectl exec curl for each look: {hand / cases:.2f} s a case, {hand / looks:.3f} s a look")
    print(f"ratio {ours / hand:.2f}")


if __name__ == "__main__":
    main()
