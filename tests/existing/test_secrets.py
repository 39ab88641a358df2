"""Planted secrets: whatever comes into a run, none of it is in what the run writes and prints."""

import base64
from pathlib import Path

from pytest_ambient.cluster import evidence
from pytest_ambient.cluster.provider import Cluster
from pytest_ambient.manifest import Document
from pytest_ambient.places import Places
from pytest_ambient.probe.artefacts import gather
from pytest_ambient.probe.logs import Logs

from .estate import Estate, roles

HEADER, COOKIE, SECRET, ENVIRONMENT = (
    "planted-in-a-header",
    "planted-in-a-cookie",
    "planted-in-a-secret",
    "planted-in-env",
)
TESTS = f"""
import pathlib
import pytest
from pytest_ambient import GET, Answered, case, cases

pytestmark = pytest.mark.ambient(rule="S1")
PAGE = "http://productpage.${{NAMESPACE}}:9080/health"
HEADERS = {{"Authorization": "Bearer {HEADER}", "Cookie": "session={COOKIE}", "X-Plain": "stays-readable"}}


@cases(case("fails", "curl", GET(PAGE, headers=HEADERS), Answered(204), unchanged=True))
def test_row(verdict):
    verdict.holds()


def test_prints(ambient_cluster):
    config = pathlib.Path(ambient_cluster.kubeconfig).read_text()
    token = config.partition("token: ")[2].split()[0]
    print("the token is", token)
    assert token == "another"


def test_raises(ambient_kube):
    from pytest_ambient import AmbientError

    raise AmbientError("Cookie: session={COOKIE}")


def test_skips(record_property):
    record_property("config", "Authorization: Bearer {HEADER}")
    pytest.skip("no access with Bearer {HEADER}")
"""


def test_nothing_planted_is_written_or_printed(owned_by_others: Estate, tmp_path: Path) -> None:
    """Not by results, artefacts, JUnit's file, the terminal or captured output; what is no secret stays readable."""
    (tmp_path / "test_planted.py").write_text(TESTS)
    (tmp_path / "test_planted.yaml").write_text("")
    config, report = owned_by_others.account("planted", roles()), tmp_path / "report"
    token = owned_by_others.token("planted")
    own = config.read_text().partition("token: ")[2].split()[0]
    words = (
        str(tmp_path / "test_planted.py"),
        f"--junitxml={report}/junit.xml",
        "-rA",
        "--ambient-artifacts=always",
        "--ambient-timeout=control=3",
    )
    ran = owned_by_others.pytest(config, *words, "--rootdir", str(tmp_path), state=tmp_path / "state", report=report)
    written = {path.name: path.read_text() for path in report.rglob("*") if path.is_file()}
    assert {"results.jsonl", "junit.xml", "fails.txt"} <= set(written), ran.text
    for name, text in (*written.items(), ("terminal", ran.text)):
        for planted in (HEADER, COOKIE, token, own, own.rpartition(".")[2]):
            assert planted not in text, f"{planted[:24]} in {name}"
    assert "stays-readable" in written["fails.txt"]
    assert "Authorization: <redacted>" in written["fails.txt"]
    assert "the token is <redacted>" in ran.text


POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "planted", "namespace": "default"},
    "spec": {"containers": [{"name": "c", "image": "no/such:1", "env": [{"name": "MODE", "value": ENVIRONMENT}]}]},
}
KEPT = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "planted", "namespace": "default"},
    "stringData": {"k": SECRET},
}


def logged(folder: Path) -> None:
    """Saves the log of a node."""
    (folder / "node.log").write_text(f"login with Bearer {HEADER}\n")


def test_nothing_planted_is_in_what_is_kept_of_the_cluster(owned_by_others: Estate, tmp_path: Path) -> None:
    """Neither in the scene of a broken promise nor in the evidence of a bring-up that failed; logs are swept."""
    kube, documents = owned_by_others.kube, []
    try:
        for item in (POD, KEPT):
            kube.apply(item)
            documents.append(Document(item, Path("planted.yaml"), 1))
        places = Places("default", "default", "default")
        logs = Logs(kube, {}, places.ours)
        scene = gather(kube, logs, places, documents)
        logs.close()
        assert "name: MODE" in scene["objects.yaml"]
        evidence.look(kube, tmp_path)
        evidence.swept(tmp_path, lambda: logged(tmp_path))
    finally:
        for item in (POD, KEPT):
            kube.delete(f"v1/{item['kind']}", "planted", "default")
    written = {path.name: path.read_text() for path in tmp_path.iterdir()} | scene
    assert "default_planted.yaml" in written
    for planted in (ENVIRONMENT, SECRET, base64.b64encode(SECRET.encode()).decode(), HEADER):
        assert [name for name, text in written.items() if planted in text] == []


def test_nobody_elses_namespaces_are_looked_into(owned_by_others: Estate, tmp_path: Path) -> None:
    """Of a cluster that is not ours only the mesh and the runs are kept; a reader without events keeps the rest."""
    kube = owned_by_others.kube
    try:
        kube.apply(POD)
        config = owned_by_others.account("evident", roles())
        cluster = Cluster("estate", config, owned_by_others.cluster.context, owned=False, provider="existing")
        assert evidence.collect(tmp_path / "kept", lambda: None, cluster) == ""
    finally:
        kube.delete("v1/Pod", "planted", "default")
    written = {path.name: path.read_text() for path in (tmp_path / "kept").iterdir()}
    assert "istio-system/istiod" in written["pods.txt"]
    assert written["nodes.yaml"]
    assert not any("planted" in text for text in (*written, *written.values()))
