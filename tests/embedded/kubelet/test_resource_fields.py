"""What a container asks for and may use, as variables tell it, and what is asked for where only a limit is given."""

from pathlib import Path

import pytest

from pytest_ambient.embedded.objects import Object

from .bench import DEPLOYMENT, POD, Bench, play
from .specs import CURL, container, deployment, pod

LIMITED = {"limits": {"cpu": "500m", "memory": "64Mi"}}


@pytest.mark.parametrize(
    ("resources", "source", "value"),
    [
        (LIMITED, {"resource": "limits.cpu"}, "1"),
        (LIMITED, {"resource": "limits.memory"}, "67108864"),
        (LIMITED, {"resource": "limits.memory", "divisor": "1Mi"}, "64"),
        (LIMITED, {"resource": "limits.memory", "divisor": "1G"}, "1"),
        (LIMITED, {"resource": "requests.cpu", "divisor": "1m"}, "500"),
        ({"requests": {"cpu": "1100m"}}, {"resource": "requests.cpu", "divisor": "1m"}, "1100"),
        ({"requests": {"cpu": "1100m"}}, {"resource": "requests.cpu", "divisor": "0"}, "2"),
        ({}, {"resource": "requests.memory"}, "0"),
        ({}, {"resource": "limits.cpu"}, "8"),
        ({}, {"resource": "limits.memory", "divisor": "1Gi"}, "16"),
        (LIMITED, {"resource": "limits.cpu", "containerName": "free"}, "8"),
    ],
)
def test_an_amount_as_a_variable(tmp_path: Path, resources: Object, source: Object, value: str) -> None:
    """It is counted in divisors, rounded up; without a limit of its own a container may use its node."""

    async def scenario(bench: Bench) -> None:
        env = [{"name": "AMOUNT", "valueFrom": {"resourceFieldRef": source}}]
        free = container("busybox", "sleep", "inf", name="free")
        asks = container("busybox", "sleep", "inf", env=env, resources=resources)
        bench.store.create(POD, pod("asks", asks, free))
        _, out, _ = await bench.run(await bench.ready_pod("asks"), "printenv", "AMOUNT")
        assert out == f"{value}\n"

    play(tmp_path, scenario)


def test_a_pod_asks_for_its_limits(tmp_path: Path) -> None:
    """Where it does not say what it asks for itself; a template says nothing of it."""

    async def scenario(bench: Bench) -> None:
        limited = CURL | {"resources": {"limits": {"cpu": "2", "memory": "1Gi"}, "requests": {"cpu": "1"}}}
        bench.store.create(POD, pod("alone", CURL, initContainers=[CURL | {"name": "first", "resources": LIMITED}]))
        made = bench.store.create(DEPLOYMENT, deployment("many", limited))
        await bench.count("many", 1)
        asked = [
            bench.pods("alone")[0]["spec"]["initContainers"][0]["resources"]["requests"],
            bench.pods("many")[0]["spec"]["containers"][0]["resources"]["requests"],
            made["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"],
        ]
        assert asked == [LIMITED["limits"], {"cpu": "1", "memory": "1Gi"}, {"cpu": "1"}]

    play(tmp_path, scenario)
