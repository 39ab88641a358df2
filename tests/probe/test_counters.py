"""Counters read around a round, and certificates read from ztunnel's configuration."""

import itertools
import json
from collections import Counter

from pytest_ambient.manifest import Manifests
from pytest_ambient.probe.counters import Key, grown, parsed
from pytest_ambient.table import case
from pytest_ambient.verdict.call import CERTIFICATES, GET
from pytest_ambient.verdict.case import Case
from pytest_ambient.verdict.evidence import Counted, OneCertificate
from pytest_ambient.verdict.expectation import Word
from tests.probe.bench import Bench, Reply
from tests.probe.rules import judged

STATS = ("istio-system/ztunnel-a", "/stats/prometheus")
IDENTITY = "spiffe://cluster.local/ns/shop/sa/sa-reviews"


def _page(count: int) -> str:
    return (
        f'# TYPE opened counter\nopened_total{{a="x",b="q\\"uote"}} {count}\nopened_total{{a="y"}} 1\nplain 3\n# EOF\n'
    )


def test_text_format() -> None:
    """Only wanted names are read; escaped quotes and missing labels are understood."""
    assert parsed(_page(7), {"opened_total", "plain"}.__contains__) == {
        ("opened_total", (("a", "x"), ("b", 'q"uote'))): 7.0, ("opened_total", (("a", "y"),)): 1.0, ("plain", ()): 3.0,
    }  # fmt: skip
    assert parsed(_page(7), {"other"}.__contains__) == {}


def test_growth() -> None:
    """Pods are summed; one that began anew counts with all it has; without a look nothing is known."""
    key: Key = ("m", ())
    before = {"a": Counter({key: 5}), "b": Counter({key: 9})}
    found = grown(before, {"a": Counter({key: 7}), "b": Counter({key: 1}), "c": Counter({key: 4})}, 1)
    assert found is not None
    assert [(one.name, one.value) for one in found.samples] == [("m", 7.0)]
    assert found.names == frozenset({"m"})
    assert grown(None, before, 1) is None
    assert grown(before, None, 1) is None
    assert grown(before, {}, 1) is None


def _judged(bench: Bench, *rows: Case) -> list[Word]:
    return [result.word for result in judged(bench, Manifests(None, {}), *rows, selected=rows)]


def test_rows_that_ask_the_same_share_the_counter() -> None:
    """Two alike rows must be counted twice in each round: what counts every second one is seen."""
    wanted = Counted("opened_total", {"a": "x"})
    rows = [case(f"row-{name}", "curl", GET("http://reviews:9080/"), wanted) for name in ("one", "two")]
    for every, word in ((1, Word.HOLDS), (2, Word.BROKEN)):
        assert _judged(_counting(every), *rows) == [word, word]


def _counting(every: int) -> Bench:
    """A mesh whose ztunnel counts only each so-many-eth call."""
    calls = itertools.count(1)

    def answer(pod: str, method: str, url: str) -> Reply:
        bench.kube.pages[STATS] = _page(next(calls) // every)
        return Reply()

    bench = Bench(answer)
    bench.kube.pages[STATS] = _page(0)
    return bench


def test_counters_that_cannot_be_read() -> None:
    """Without the page nothing is proved."""
    bench = Bench(lambda pod, method, url: Reply())
    row = case("is-counted", "curl", GET("http://reviews:9080/"), Counted("opened_total", {"a": "x"}))
    assert _judged(bench, row) == [Word.INCONCLUSIVE]


def test_certificates() -> None:
    """One on the node of the account's captured pods holds, two do not, and no dump proves nothing."""
    row = case("has-one", None, CERTIFICATES(IDENTITY), OneCertificate())
    pods = [{"namespace": "shop", "name": "reviews-v1-x", "protocol": "HBONE"}]
    for count, word in ((1, Word.HOLDS), (2, Word.BROKEN)):
        bench = Bench(lambda pod, method, url: Reply())
        held = [{"identity": IDENTITY, "state": "Available"}] * count
        bench.kube.pages["istio-system/ztunnel-a", "/config_dump"] = json.dumps(
            {"workloads": pods, "certificates": held}
        )
        assert _judged(bench, row) == [word]
    bench = Bench(lambda pod, method, url: Reply())
    del bench.kube.pages["istio-system/ztunnel-a", "/config_dump"]
    assert _judged(bench, row) == [Word.INCONCLUSIVE]
