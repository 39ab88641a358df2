"""Splits judged by one sample, against a mesh of doubles."""

import re
from collections.abc import Sequence
from itertools import count
from pathlib import Path

import pytest

from pytest_ambient.errors import Misuse
from pytest_ambient.manifest import Manifests
from pytest_ambient.probe.sampling import EXECS
from pytest_ambient.verdict.case import Case
from pytest_ambient.verdict.expectation import Answered, Split, Word
from pytest_ambient.verdict.split import looks
from tests.probe.bench import QUICK, Bench, Reply
from tests.probe.rules import MANIFEST, REVIEWS, bench_of, judged


@pytest.fixture
def manifests(tmp_path: Path) -> Manifests:
    """A rule with one manifest."""
    (tmp_path / "test_rule.yaml").write_text(MANIFEST)
    return Manifests.beside(tmp_path / "test_rule.py")


ROUTE = """\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: split, namespace: "${NAMESPACE}"}
spec:
  parentRefs: [{kind: Service, group: "", name: reviews}]
  rules:
    - filters:
        - type: ResponseHeaderModifier
          responseHeaderModifier: {set: [{name: x-split, value: "on"}]}
      backendRefs: [{name: reviews-v1, port: 9080, weight: 100}]
"""


@pytest.fixture
def split_route(tmp_path: Path) -> Manifests:
    """A rule with a route that marks its answers."""
    (tmp_path / "test_split.yaml").write_text(ROUTE)
    return Manifests.beside(tmp_path / "test_split.py")


def requests_of(argv: Sequence[str]) -> int:
    """How often an exec of curl asks."""
    found = re.search(r"#\[1-(\d+)\]", " ".join(argv))
    return int(found[1]) if found else 1


@pytest.mark.parametrize(("backend", "word"), [("reviews-v1-abc", Word.HOLDS), ("reviews-v2-abc", Word.BROKEN)])
def test_a_split_is_sampled_once_it_carries_its_header(split_route: Manifests, backend: str, word: Word) -> None:
    """Convergence is told by the route's own header, then comes one sample; here its first look decides."""

    def routed(where: str, bench: Bench) -> Reply:
        marked = bench.there("gateway.networking.k8s.io/v1/HTTPRoute", "split")
        return Reply(body=f'{{"podname": "{backend}"}}', headers={"x-split": "on"} if marked else {})

    case = Case("all-go-to-v1", "curl", REVIEWS, Split({"reviews-v1": 1.0, "reviews-v2": 0.0}), Answered(200))
    bench = bench_of(routed)
    (result,) = judged(bench, split_route, case, selected=(case,))
    assert result.word is word
    assert result.sample is not None
    assert result.sample.total == 135
    parts = [number for _, argv in bench.execs if (number := requests_of(argv)) > QUICK.stays]
    assert len(parts) == EXECS
    assert sum(parts) == result.sample.total
    assert max(parts) - min(parts) <= 1


def test_a_sample_is_asked_on_until_it_decides(split_route: Manifests) -> None:
    """What the first look leaves open, more answers decide, with those of before."""
    asked = count()

    def routed(where: str, bench: Bench) -> Reply:
        if not bench.there("gateway.networking.k8s.io/v1/HTTPRoute", "split"):
            return Reply()
        number = next(asked)
        other = number % 100 < (6 if number < 600 else 16)
        return Reply(body=f'{{"podname": "reviews-v{1 + other}-abc"}}', headers={"x-split": "on"})

    case = Case("most-go-to-v1", "curl", REVIEWS, Split({"reviews-v1": 90, "reviews-v2": 10}), Answered(200))
    bench = bench_of(routed)
    (result,) = judged(bench, split_route, case, selected=(case,))
    assert (result.word, result.reason) == (Word.HOLDS, "")
    assert result.sample is not None
    at = looks((0.9, 0.1))
    assert result.sample.total > at.first
    assert (result.sample.total - at.first) % at.every == 0
    parts = [number for _, argv in bench.execs if (number := requests_of(argv)) > QUICK.stays]
    assert sum(parts) == result.sample.total


def test_a_split_without_a_marking_route_is_a_mistake(manifests: Manifests) -> None:
    """Without a header of its own an old answer can't be told from a new one."""
    case = Case("all-go-to-v1", "curl", REVIEWS, Split({"reviews-v1": 1.0}), Answered(200))
    with pytest.raises(Misuse, match="a Split needs an HTTPRoute for reviews whose ResponseHeaderModifier"):
        judged(bench_of(), manifests, case, selected=(case,))
