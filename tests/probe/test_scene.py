"""What is kept of a cluster where a rule did not hold or could not be judged."""

from dataclasses import replace
from pathlib import Path

import pytest

from pytest_ambient.errors import Misuse, NotInTime, ServerGone
from pytest_ambient.manifest import Manifests
from tests.probe.bench import DENIED, QUICK, Bench, Reply
from tests.probe.rules import MANIFEST, POD, POLICY, TABLE, bench_of, judged


@pytest.fixture
def manifests(tmp_path: Path) -> Manifests:
    """A rule with one manifest."""
    (tmp_path / "test_rule.yaml").write_text(MANIFEST)
    return Manifests.beside(tmp_path / "test_rule.py")


def test_the_scene_is_kept_while_the_manifest_is_in_effect(manifests: Manifests) -> None:
    """Objects, pods, ztunnel's log and policies of what did not hold; nothing of what holds."""
    answered, refused = judged(bench_of(lambda where, bench: Reply()), manifests, *TABLE)
    assert set(refused.scene) == {
        "objects.yaml", "pods.txt", "pods.yaml", "events.txt", "ztunnel-a.log", "ztunnel-a-policies.json",
        "ztunnel-a-config.json",
    }  # fmt: skip
    assert refused.manifest.startswith("# test_rule.yaml\n")
    assert refused.output.endswith(" ms\n")
    assert "name: only-curl" in refused.scene["objects.yaml"]
    assert "shop/details-v1-x Ready" in refused.scene["pods.txt"]
    assert "connection complete" in refused.scene["ztunnel-a.log"]
    assert "only-curl" in refused.scene["ztunnel-a-policies.json"]
    assert answered.scene == {}


def test_what_outlives_its_manifest_has_a_scene_too(manifests: Manifests) -> None:
    """It is looked at after the manifest was undone."""
    seen: list[bool] = []

    def sticky(where: str, bench: Bench) -> Reply:
        seen.extend([True] * bench.there(POLICY, "only-curl"))
        return DENIED if seen and "details" in where else Reply()

    (result,) = judged(bench_of(sticky), manifests, TABLE[1])
    assert result.phase == "undo"
    assert "only-curl" not in result.scene["objects.yaml"]
    assert "shop/details-v1-x Ready" in result.scene["pods.txt"]


def test_an_error_has_its_scene(tmp_path: Path) -> None:
    """What a set-up waited for in vain, with why; the same for every case that meets it, and nothing of a mistake."""
    (tmp_path / "test_rule.yaml").write_text(MANIFEST)
    (tmp_path / "test_rule.setup.yaml").write_text(POD)
    manifests, bench = Manifests.beside(tmp_path / "test_rule.py"), bench_of()
    bench.kube.objects["v1/Pod", "shop", "curl-x"]["status"] |= {
        "conditions": [{"type": "Ready", "status": "False", "reason": "ContainersNotReady"}],
        "containerStatuses": [
            {"name": "curl", "image": "curl:1", "restartCount": 2, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
        ],
    }
    with pytest.raises(NotInTime) as caught:
        judged(bench, manifests, TABLE[0], timing=replace(QUICK, setup=0.05))
    scene = caught.value.scene
    assert "name: late" in scene["objects.yaml"]
    assert "  container curl curl:1 waiting, 2 restarts (CrashLoopBackOff)" in scene["pods.txt"].splitlines()
    assert "  condition Ready=False ContainersNotReady" in scene["pods.txt"].splitlines()
    with pytest.raises(Misuse) as mistaken:
        judged(bench_of(), Manifests(None, manifests.states), replace(TABLE[0], source="nobody"))
    assert mistaken.value.scene == {}


def test_of_a_cluster_that_is_gone_nothing_more_is_asked(manifests: Manifests, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line says so."""
    bench = bench_of()

    def go(*_: object, **__: object) -> None:
        monkeypatch.setattr(bench.kube, "list", refuse)
        refuse()

    monkeypatch.setattr(bench.kube, "apply", go)
    with pytest.raises(ServerGone) as caught:
        judged(bench, manifests, TABLE[0])
    assert caught.value.scene == {"pods.txt": "not to be had: nobody answers\n"}


def refuse(*_: object, **__: object) -> None:
    """What an API server that is gone says."""
    raise ServerGone("nobody answers")
