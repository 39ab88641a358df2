"""How long an embedded cluster takes to serve Bookinfo, and what memory it holds with one waypoint."""

import re
import statistics
import time
from pathlib import Path

from cluster import Cluster, cluster

RUNS = 5


def proportional(pid: int) -> float:
    """A process's own share of memory in MB (PSS, shared pages divided among those that share them)."""
    found = re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0


def family(cluster: Cluster) -> dict[int, str]:
    """The cluster's processes: those whose command line names its state folder."""
    folder = str(cluster.kubeconfig.parent)
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:  # it ended meanwhile
            continue
        if folder in line:
            found[int(entry.name)] = line.split()[0].rpartition("/")[2]
    return found


def main() -> None:
    """Print the times of some runs and the memory of the last."""
    times = []
    for run in range(RUNS):
        began = time.perf_counter()
        with cluster() as up:
            times.append(time.perf_counter() - began)
            if run == RUNS - 1:
                up.add_waypoint()
                sizes = [(name, proportional(pid)) for pid, name in family(up).items()]
    print(f"up with mesh and Bookinfo: median {statistics.median(times):.2f} s, slowest {max(times):.2f} s of {RUNS}")
    for name, size in sizes:
        print(f"  {name:10} {size:6.0f} MB")
    print(f"  together   {sum(size for _, size in sizes):6.0f} MB, one waypoint included")


if __name__ == "__main__":
    main()
