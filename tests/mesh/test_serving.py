"""Bookinfo counts as installed when it is reached, and a mesh that never answers is left for the rules to judge."""

from collections.abc import Sequence
from typing import cast

import pytest

from pytest_ambient._kube import Kube
from pytest_ambient._kube_exec import Executed
from pytest_ambient.mesh.serving import SERVICES, settle
from pytest_ambient.places import Places
from pytest_ambient.testing import FakeKube

PLACES = Places("shop", "shop-other", "shop-outside")
SILENT = Executed(b"052", b"curl: (52) Empty reply from server", 52, "")
ANSWERED = Executed(b"0", b"", 0, "")


class Clients(FakeKube):
    """A client in each namespace; answers come from a list, the last one again and again."""

    def __init__(self, answers: Sequence[Executed]) -> None:
        super().__init__()
        self.asked: list[Sequence[str]] = []
        for namespace in PLACES.ours:
            meta = {"name": "curl-1", "namespace": namespace, "labels": {"app": "curl"}}
            self.apply({"apiVersion": "v1", "kind": "Pod", "metadata": meta})
        left = list(answers)

        def run(pod: str, container: str, argv: Sequence[str], stdin: bytes | None) -> Executed:
            self.asked.append(argv)
            return left.pop(0) if len(left) > 1 else left[0]

        self.run = run


def test_it_waits_for_the_first_answers() -> None:
    """A client that is not answered yet is asked again."""
    clients = Clients([SILENT, ANSWERED])
    assert settle(cast(Kube, clients), PLACES, within=5)
    assert len(clients.asked) == 2 * len(PLACES.ours)


def test_every_service_is_asked_by_its_longer_name() -> None:
    """One exec asks all Services, from other namespaces too."""
    clients = Clients([ANSWERED])
    settle(cast(Kube, clients), PLACES)
    for argv in clients.asked:
        urls = [word for word in argv if word.startswith("http")]
        assert urls == [f"http://{service}.shop:9080/health" for service in SERVICES]


@pytest.mark.parametrize("answer", [SILENT, Executed(b"", b"", None, "the exec was lost")], ids=["silent", "lost"])
def test_a_mesh_that_never_answers_is_no_error(answer: Executed) -> None:
    """After its time the installation goes on: it is for a rule to say that nothing is reached."""
    assert not settle(cast(Kube, Clients([answer])), PLACES, within=0.2)
