"""Rules judged from control to undoing, against a mesh of doubles."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_ambient._kube_exec import Executed
from pytest_ambient.errors import ManifestError, Misuse
from pytest_ambient.manifest import Manifests
from pytest_ambient.verdict.call import STATUS
from pytest_ambient.verdict.case import Case
from pytest_ambient.verdict.expectation import Answered, HasCondition, LacksCondition, Word
from tests.probe.bench import DENIED, QUICK, Bench, Reply
from tests.probe.rules import MANIFEST, POD, POLICY, REFUSED, REVIEWS, TABLE, bench_of, enforced, judged


@pytest.fixture
def manifests(tmp_path: Path) -> Manifests:
    """A rule with one manifest."""
    (tmp_path / "test_rule.yaml").write_text(MANIFEST)
    return Manifests.beside(tmp_path / "test_rule.py")


def test_a_kept_promise_holds_and_is_undone(manifests: Manifests) -> None:
    """Answer and denial hold, with the convergence time, the proxy's line as evidence, and nothing left behind."""
    bench = bench_of()
    answered, refused = judged(bench, manifests, *TABLE)
    assert (answered.word, refused.word) == (Word.HOLDS, Word.HOLDS)
    assert refused.stable_ms is not None
    assert refused.text == ""
    assert "none allowed" in refused.evidence[0]
    assert not bench.there(POLICY, "only-curl")


def test_one_exec_for_each_source_and_round(manifests: Manifests) -> None:
    """Control, three rounds, the look whether it stays and the control again: 1 + 3 + 1 + 1 execs of each pod."""
    bench = bench_of()
    judged(bench, manifests, *TABLE)
    assert [where for where, _ in bench.execs].count("shop/details-v1-x") == 6
    assert [where for where, _ in bench.execs].count("shop/curl-x") == 6


def test_an_ignored_policy_is_a_broken_promise(manifests: Manifests) -> None:
    """The failure says who called whom, what was wanted, what came, what was applied and how to repeat it."""
    (result,) = judged(bench_of(lambda where, bench: Reply()), manifests, REFUSED)
    assert result.word is Word.BROKEN
    lines = result.text.splitlines()
    assert lines[0] == "details-v1 (shop/details-v1-x) -> GET http://reviews:9080/reviews/0"
    assert lines[1].startswith("  wanted   denied at L4: connection closed without an HTTP byte")
    assert lines[2].startswith("  got      HTTP 200 from the application")
    assert "AuthorizationPolicy shop/only-curl" in result.text
    assert "-n shop exec deploy/details-v1 -c details -- curl -sS http://reviews:9080/reviews/0" in result.text


def test_what_holds_says_what_was_seen_and_what_was_applied(manifests: Manifests) -> None:
    """The manifest once for its state; the answer of each case."""
    answered, refused = judged(bench_of(), manifests, *TABLE)
    told = [one.failure.got if one.failure else "" for one in (answered, refused)]
    assert told[0] == "HTTP 200 from the application"
    assert told[1].startswith("connected, then reset without an HTTP byte (curl exit 56), refused by ztunnel: ")
    assert [one.manifest.partition("\n")[0] for one in (answered, refused)] == ["# test_rule.yaml", ""]


def test_a_dead_mesh_is_no_enforced_policy(manifests: Manifests) -> None:
    """When everybody is refused, the denial is not believed either, since its twin fails beside it."""
    bench = bench_of(lambda where, bench: DENIED if bench.there(POLICY, "only-curl") else Reply())
    answered, refused = judged(bench, manifests, *TABLE)
    assert answered.word is Word.BROKEN
    assert "refused by ztunnel" in answered.reason
    assert refused.word is Word.BROKEN
    assert "its twin curl-is-answered" in refused.reason


def test_the_twin_of_a_selected_denial_is_probed_too(manifests: Manifests) -> None:
    """Selecting the denial alone still asks its twin in the same rounds."""
    bench = bench_of()
    (result,) = judged(bench, manifests, TABLE[1], selected=TABLE[1:])
    assert result.word is Word.HOLDS
    assert "shop/curl-x" in [where for where, _ in bench.execs]


def test_a_denial_without_witness_is_inconclusive(manifests: Manifests) -> None:
    """A reset that ztunnel does not speak of proves nothing: neither kept nor broken."""
    silent = Reply(status=0, body="", exit=56, silent=True)
    bench = bench_of(lambda where, bench: silent if enforced(where, bench) is DENIED else Reply())
    (result,) = judged(bench, manifests, TABLE[1])
    assert result.word is Word.INCONCLUSIVE
    assert "nothing from ztunnel" in result.reason


def test_another_policy_than_the_named_one_breaks_it(manifests: Manifests) -> None:
    """An ALLOW that did not match is only named when it is the only one attached."""
    bench = bench_of()
    bench.attach("shop/only-curl", "shop/stranger")
    (result,) = judged(bench, manifests, TABLE[1])
    assert result.word is Word.BROKEN
    assert "shop/stranger" in result.reason


def test_lost_execs_are_asked_again(manifests: Manifests) -> None:
    """Execs that give nothing cost rounds, not verdicts."""
    bench = bench_of()
    bench.lost = 3
    assert [result.word for result in judged(bench, manifests, *TABLE)] == [Word.HOLDS, Word.HOLDS]


def test_execs_that_are_lost_now_and_then_cost_no_verdict(manifests: Manifests) -> None:
    """A lost probe proves nothing for or against: it does not break a row of equal verdicts either."""
    bench = bench_of()
    run, count = bench.kube.run, [0]

    def third(where: str, container: str, argv: Sequence[str], stdin: bytes | None) -> Executed:
        count[0] += 1
        return Executed(b"", b"", 0) if count[0] % 3 == 0 else run(where, container, argv, stdin)

    bench.kube.run = third
    assert [result.word for result in judged(bench, manifests, *TABLE)] == [Word.HOLDS, Word.HOLDS]


def test_execs_that_never_give_anything_are_inconclusive(manifests: Manifests) -> None:
    """No output is never read as a denial."""
    bench = bench_of()
    bench.lost = 10**6
    results = judged(bench, manifests, *TABLE)
    assert {result.word for result in results} == {Word.INCONCLUSIVE}
    assert {result.phase for result in results} == {"control"}


def test_a_call_that_failed_before_the_manifest_proves_nothing(manifests: Manifests) -> None:
    """The control is part of the verdict, and the failure says so."""
    (result,) = judged(bench_of(lambda where, bench: Reply(503, "down")), manifests, TABLE[1])
    assert (result.word, result.phase) == (Word.BROKEN, "control")
    assert "before the manifest: HTTP 200" in result.text


def test_an_effect_that_does_not_stay_is_broken(manifests: Manifests) -> None:
    """A denial that lets some of many requests through after the hold is none."""
    count = 0

    def leaky(where: str, bench: Bench) -> Reply:
        nonlocal count
        if enforced(where, bench) is not DENIED:
            return Reply()
        count += 1
        return Reply() if count > QUICK.rounds and count % 2 else DENIED

    (result,) = judged(bench_of(leaky), manifests, TABLE[1])
    assert (result.word, result.phase) == (Word.BROKEN, "stays")
    assert "2 of 4 times HTTP 200" in result.reason


def test_an_effect_that_is_late_somewhere_holds_and_says_so(manifests: Manifests) -> None:
    """One of several ztunnels may hear of a policy seconds after the others: that is told, with the time it took."""
    count = 0

    def late(where: str, bench: Bench) -> Reply:
        nonlocal count
        if enforced(where, bench) is not DENIED:
            return Reply()
        count += 1
        return Reply() if QUICK.rounds < count <= QUICK.rounds + QUICK.stays and count % 2 else DENIED

    (result,) = judged(bench_of(late), manifests, TABLE[1])
    assert (result.word, result.text) == (Word.HOLDS, "")
    assert result.evidence[0] == "late: after the hold 2 of 4 times HTTP 200 from the application"
    assert result.first_ms == 0
    assert result.stable_ms is not None
    assert result.stable_ms > 5000


def test_a_policy_that_outlives_its_deletion_is_broken(manifests: Manifests) -> None:
    """The control must hold again once the manifest is undone."""
    seen = False

    def sticky(where: str, bench: Bench) -> Reply:
        nonlocal seen
        seen = seen or bench.there(POLICY, "only-curl")
        return DENIED if seen and "details" in where else Reply()

    (result,) = judged(bench_of(sticky), manifests, TABLE[1])
    assert (result.word, result.phase) == (Word.BROKEN, "undo")
    assert "once the manifest is undone: HTTP 200" in result.text


def test_convergence_is_measured_from_the_apply(manifests: Manifests) -> None:
    """The first and the stable effect are two times, and flapping moves only the second."""
    states = iter([Reply(), DENIED, Reply(), *[DENIED] * 100])
    current = [Reply()]

    def slow(where: str, bench: Bench) -> Reply:
        if enforced(where, bench) is DENIED:
            current[0] = next(states)
            return current[0]
        return Reply()

    (result,) = judged(bench_of(slow), manifests, TABLE[1])
    assert result.word is Word.HOLDS
    assert result.first_ms is not None
    assert result.stable_ms is not None
    assert 0 < result.first_ms < result.stable_ms


@pytest.mark.parametrize(("pulled", "word"), [(True, Word.HOLDS), (False, Word.BROKEN)])
def test_pulling_an_image_is_no_convergence(tmp_path: Path, pulled: bool, word: Word) -> None:
    """The deadline counts from when the manifest's pods run; what never runs is judged like anything else."""
    (tmp_path / "test_rule.yaml").write_text(MANIFEST + POD)
    bench = bench_of(lambda where, bench: enforced(where, bench) if bench.clock() > 101 else Reply())
    read = bench.kube.get

    def get(kind: str, name: str, namespace: str | None = None) -> dict[str, Any] | None:
        found = read(kind, name, namespace)
        if found is not None and name == "late":
            bench.clock.now = max(bench.clock.now, 100.0 if pulled else 0.0)
            found["status"] = {"conditions": [{"type": "Ready", "status": str(pulled)}]}
        return found

    bench.kube.get = get  # type: ignore[method-assign]  # a pod whose image takes 100 s to come
    timing = replace(QUICK, setup=0.05)
    (result,) = judged(bench, Manifests.beside(tmp_path / "test_rule.py"), REFUSED, timing=timing)
    assert result.word is word
    assert "late" not in str(sorted(bench.kube.objects))


def test_a_status_is_a_case_like_any_other(manifests: Manifests) -> None:
    """Its condition is absent before and after the manifest and present in between."""
    bench = bench_of()
    apply = bench.kube.apply

    def with_status(obj: dict[str, object], **options: object) -> dict[str, object]:
        status = {
            "conditions": [
                {"type": "ZtunnelAccepted", "status": "True", "reason": "Accepted", "observedGeneration": "1"}
            ]
        }
        return apply({**obj, "status": status})

    bench.kube.apply = with_status  # type: ignore[method-assign]  # a double of a double
    wanted = HasCondition("ZtunnelAccepted", "True", "Accepted")
    absent = LacksCondition("ZtunnelAccepted", "True", "Accepted")
    status = Case("policy-is-accepted", None, STATUS(POLICY, "only-curl"), wanted, absent)
    (result,) = judged(bench, manifests, status, selected=(status,))
    assert result.word is Word.HOLDS


def test_a_manifest_outside_of_our_namespaces_is_refused(tmp_path: Path) -> None:
    """A case without scope=mesh never writes anywhere else, and the error names file and line."""
    (tmp_path / "test_rule.yaml").write_text(MANIFEST.replace("${NAMESPACE}", "kube-system"))
    with pytest.raises(
        ManifestError, match=r"test_rule.yaml:1: AuthorizationPolicy kube-system/only-curl would change"
    ):
        judged(bench_of(), Manifests.beside(tmp_path / "test_rule.py"), TABLE[0])


def test_an_unknown_workload_lists_those_there_are(manifests: Manifests) -> None:
    """The mistake is told in one line."""
    case = Case("nobody-is-answered", "nobody", REVIEWS, Answered(200), Answered(200), unchanged=True)
    with pytest.raises(
        Misuse, match="unknown workload 'nobody' in namespace shop, there are curl, details-v1, reviews-v1"
    ):
        judged(bench_of(), manifests, case, selected=(case,))


TOUCHED = """\
apiVersion: v1
kind: Pod
metadata:
  name: reviews-v1-x
  namespace: ${NAMESPACE}
  labels:
    touched: "yes"
"""


def test_what_stays_is_ready_again_before_it_is_asked_for(tmp_path: Path) -> None:
    """After the undo what was there before must run as before: the next rule may need it."""
    (tmp_path / "test_rule.yaml").write_text(TOUCHED)
    bench = bench_of(lambda where, bench: Reply())
    read, asked = bench.kube.get, list[int]()

    def get(kind: str, name: str, namespace: str | None = None) -> dict[str, Any] | None:
        asked.extend([len(bench.execs)] if name == "reviews-v1-x" else [])
        return read(kind, name, namespace)

    bench.kube.get = get  # type: ignore[method-assign]  # listened to
    (result,) = judged(bench, Manifests.beside(tmp_path / "test_rule.py"), TABLE[0])
    assert result.word is Word.HOLDS
    before_the_last_round = len(bench.execs) - 1
    assert asked.count(before_the_last_round) == 3, "twice for the undo, once to see that it is ready"
