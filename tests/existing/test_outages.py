"""A disruptive rule that is interrupted or killed on somebody else's mesh leaves it as it was, and running."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from .estate import ROOT, Estate, environment, run_words
from .test_killed import command, until

DEPLOYMENT, DAEMONS = "apps/v1/Deployment", "apps/v1/DaemonSet"
NEXT = "1.30.4"
RULES = ROOT / "conformance" / "resilience"


def istiod(estate: Estate) -> dict[str, Any]:
    """Its Deployment as it is now."""
    found = estate.kube.get(DEPLOYMENT, "istiod", "istio-system")
    assert found is not None
    return found


def istiod_is_away(estate: Estate) -> bool:
    """No pod is wanted, and none is left."""
    left = estate.kube.list("v1/Pod", "istio-system", "app=istiod")
    return istiod(estate)["spec"].get("replicas") == 0 and not left


def istiod_runs(estate: Estate) -> bool:
    """As before."""
    found = istiod(estate)
    runs = found["spec"].get("replicas") == 1 and found["status"].get("availableReplicas") == 1
    return bool(runs and not ours(found))


def ztunnel(estate: Estate) -> dict[str, Any]:
    """Its DaemonSet as it is now."""
    found = estate.kube.get(DAEMONS, "ztunnel", "istio-system")
    assert found is not None
    return found


def ztunnel_was_marked(estate: Estate) -> bool:
    """Every ztunnel was restarted."""
    found = ztunnel(estate)
    status, meta = found["status"], found["spec"]["template"]["metadata"]
    new = status.get("updatedNumberScheduled", 0) == status["desiredNumberScheduled"] == status["numberReady"]
    return bool(meta.get("annotations")) and new and status["observedGeneration"] == found["metadata"]["generation"]


def ztunnel_runs(estate: Estate) -> bool:
    """Without the mark, all of its pods new and ready."""
    found = ztunnel(estate)
    status, meta = found["status"], found["spec"]["template"]["metadata"]
    new = status.get("updatedNumberScheduled", 0) == status["desiredNumberScheduled"] == status["numberReady"]
    current = status["observedGeneration"] == found["metadata"]["generation"]
    return not meta.get("annotations") and new and current and not ours(found)


def istiod_is_new(estate: Estate) -> bool:
    """It is of the version to which the mesh goes."""
    return NEXT in str(istiod(estate)["spec"]["template"]["spec"])


def every_part_is_old(estate: Estate) -> bool:
    """As before, and running."""
    agents = estate.kube.get(DAEMONS, "istio-cni-node", "istio-system")
    assert agents is not None
    parts = (istiod(estate), ztunnel(estate), agents)
    new = any(NEXT in str(part["spec"]["template"]["spec"]) for part in parts)
    return not new and not any(map(ours, parts)) and istiod_runs(estate) and ztunnel_runs(estate)


def ours(item: dict[str, Any]) -> bool:
    """Whether our name is left on an object's fields."""
    return any(entry["manager"].startswith("pytest-ambient") for entry in item["metadata"].get("managedFields") or [])


@contextmanager
def breaking(estate: Estate, module: str, state: Path, broken: Callable[[Estate], bool]) -> Iterator[Any]:
    """A run that has broken something, and goes on looking at it."""
    words = [str(RULES / f"{module}.py"), "-k", "call-is-answered", "--ambient-disruptive"]
    words += [f"--ambient-upgrade-to={NEXT}"]
    words = run_words(estate.cluster.kubeconfig, *words, "--ambient-timeout=hold=90")
    handlers = {number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGINT, signal.SIGTERM)}
    run = subprocess.Popen(
        words, cwd=ROOT, env=environment(state), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    for number, handler in handlers.items():
        signal.signal(number, handler)
    try:
        until(lambda: broken(estate) or run.poll() is not None, "what the rule breaks")
        assert run.poll() is None, run.communicate()[0]
        yield run
    finally:
        if run.poll() is None:
            run.kill()
            run.communicate()


@pytest.mark.parametrize(
    ("module", "broken", "mended", "number"),
    [
        ("test_istiod_restart", istiod_is_away, istiod_runs, signal.SIGTERM),
        ("test_ztunnel_restart", ztunnel_was_marked, ztunnel_runs, signal.SIGINT),
        ("test_upgrade", istiod_is_new, every_part_is_old, signal.SIGINT),
    ],
)
def test_an_interrupted_rule_mends_what_it_broke_before_it_ends(
    owned_by_others: Estate,
    tmp_path: Path,
    module: str,
    broken: Callable[[Estate], bool],
    mended: Callable[[Estate], bool],
    number: signal.Signals,
) -> None:
    """When the process is gone the mesh runs as before; nothing is left to clean up."""
    with breaking(owned_by_others, module, tmp_path / "s", broken) as run:
        run.send_signal(number)
        said, _ = run.communicate(timeout=90)
    assert mended(owned_by_others), said
    assert run.returncode == 2, said
    assert list((tmp_path / "s" / "pytest-ambient" / "leases").iterdir()) == []


def test_a_killed_rule_is_mended_by_cleanup(owned_by_others: Estate, tmp_path: Path) -> None:
    """Which says beforehand what it would give back, and waits until that runs."""
    state = tmp_path / "s"
    with breaking(owned_by_others, "test_istiod_restart", state, istiod_is_away) as run:
        os.kill(run.pid, signal.SIGKILL)
        run.communicate(timeout=30)
    assert istiod_is_away(owned_by_others)
    dry = command(owned_by_others, "cleanup", "--dry-run", state=state)
    wanted = "would take back Deployment istio-system/istiod (spec.replicas back to 1), unless that was done"
    assert wanted in dry.stderr
    assert istiod_is_away(owned_by_others)
    done = command(owned_by_others, "cleanup", state=state)
    assert done.returncode == 0, done.stderr
    assert istiod_runs(owned_by_others)
    again = command(owned_by_others, "cleanup", "--dry-run", state=state)
    assert "nothing was left behind" in again.stderr
