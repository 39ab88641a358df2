"""What the first look of a split's sample costs beside the same curl by hand in the same pod, both in one run."""

import statistics
import time

from cluster import Cluster, cluster

from pytest_ambient import GET, Split
from pytest_ambient._kube import Kube
from pytest_ambient.mesh.images import CURL, own
from pytest_ambient.places import Places
from pytest_ambient.probe.battery import Battery
from pytest_ambient.probe.source import Sources
from pytest_ambient.probe.timing import Timing

ROUNDS = 3
URL = "http://reviews:9080/reviews/0"
SIZE = Split({"reviews-v1": 0.9, "reviews-v2": 0.1}).size


def by_hand(up: Cluster) -> float:
    """Seconds for the requests alone, through kubectl."""
    began = time.perf_counter()
    curl = ["curl", "-s", "-o", "/dev/null", "-H", "Connection: close", f"{URL}#[1-{SIZE}]"]
    up.kubectl("exec", "deploy/curl", "--", *curl)
    return time.perf_counter() - began


def sampled(battery: Battery) -> float:
    """Seconds for the sample, every answer parsed."""
    began = time.perf_counter()
    battery.ask({"sample": ("curl", GET(URL, count=SIZE))})
    return time.perf_counter() - began


def main() -> None:
    """Print the two medians and their ratio."""
    with cluster() as up:
        up.add_waypoint()
        places = Places("bookinfo", "bookinfo-other", "bookinfo-outside")
        kube = Kube(up.kubeconfig, None)
        battery = Battery(kube, Sources(kube, places, "benchmark", image=own(CURL, version=None)), Timing())
        by_hand(up)
        pairs = [(sampled(battery), by_hand(up)) for _ in range(ROUNDS)]
        battery.close()
        kube.close()
    ours, hand = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"{SIZE} requests: sample {ours:.2f} s, by hand {hand:.2f} s: ratio {ours / hand:.2f}")


if __name__ == "__main__":
    main()
