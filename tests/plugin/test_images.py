"""`pytest-ambient images`: one image a line with its reason, or JSON."""

import json
from pathlib import Path

import pytest

from pytest_ambient.cli import main

LINES = """\
mirror.example/x/pilot:1.30.3-distroless                  Istio's control plane
mirror.example/x/install-cni:1.30.3-distroless            Istio's CNI agent on every node
mirror.example/x/ztunnel:1.30.3-distroless                Istio's L4 proxy on every node
mirror.example/x/proxyv2:1.30.3-distroless                waypoints and gateways
mirror.example/x/examples-bookinfo-productpage-v1:1.20.3  Bookinfo's productpage-v1
mirror.example/x/examples-bookinfo-details-v1:1.20.3      Bookinfo's details-v1
mirror.example/x/examples-bookinfo-ratings-v1:1.20.3      Bookinfo's ratings-v1
mirror.example/x/examples-bookinfo-reviews-v1:1.20.3      Bookinfo's reviews-v1
mirror.example/x/examples-bookinfo-reviews-v2:1.20.3      Bookinfo's reviews-v2
mirror.example/x/examples-bookinfo-reviews-v3:1.20.3      Bookinfo's reviews-v3
mirror.example/x/go-httpbin:v2.15.0                       the echo beside Bookinfo
mirror.example/x/curl:8.16.0                              clients in every namespace, and pods without their own
"""
ISTIO = "--ambient-istio-version=1.30.3"


def lines(capsys: pytest.CaptureFixture[str], *words: str) -> list[tuple[str, str]]:
    """What the verb prints for these options: image and reason."""
    assert main(["images", *words]) == 0
    rows = (line.partition("  ") for line in capsys.readouterr().out.splitlines())
    return [(row[0], row[2].strip()) for row in rows]


def test_every_image_stands_on_a_line_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    """The whole answer, from a mirror; the reasons stand below each other."""
    assert main(["images", ISTIO, "--ambient-hub=mirror.example/x"]) == 0
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == (LINES, "")


def test_json_has_name_tag_and_reason(capsys: pytest.CaptureFixture[str]) -> None:
    """One list, alone on standard output."""
    assert main(["images", "-o", "json", ISTIO]) == 0
    first = json.loads(capsys.readouterr().out)[0]
    assert first == {
        "name": "registry.istio.io/release/pilot",
        "tag": "1.30.3-distroless",
        "reference": "registry.istio.io/release/pilot:1.30.3-distroless",
        "why": "Istio's control plane",
    }


def test_a_minor_stands_for_its_newest_patch(capsys: pytest.CaptureFixture[str]) -> None:
    """As when it is installed; nothing at all is the newest version."""
    assert lines(capsys, "--ambient-istio-version=1.28")[0][0] == "docker.io/istio/pilot:1.28.10-distroless"
    assert lines(capsys)[0][0].endswith("/pilot:1.31.1-distroless")


@pytest.mark.parametrize(
    ("words", "installed"),
    [
        (("--ambient-cluster=existing",), False),
        (("--ambient-installer=none",), False),
        (("--ambient-cluster=existing", "--ambient-installer=istioctl"), True),
        (("--ambient-cluster=kind",), True),
    ],
)
def test_a_mesh_that_is_there_is_not_pulled(
    words: tuple[str, ...], installed: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """An existing cluster has one, unless an installer is asked for; its waypoints are pulled all the same."""
    found = [one for one, _ in lines(capsys, ISTIO, *words)]
    assert ("registry.istio.io/release/ztunnel:1.30.3-distroless" in found) is installed
    assert "registry.istio.io/release/proxyv2:1.30.3-distroless" in found


def test_the_embedded_cluster_pulls_none(capsys: pytest.CaptureFixture[str]) -> None:
    """It says so, beside an answer that stays empty."""
    assert main(["images", "--ambient-cluster=embedded", "-o", "json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out) == []
    assert printed.err == "a cluster of embedded pulls none: images are names there\n"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--ambient-addons=zipkin"], "unknown addon 'zipkin', known are grafana, jaeger, kiali, metallb, prometheus"),
        (["--ambient-addons=zipkin", "--ambient-cluster=embedded"], "unknown addon 'zipkin', known are grafana"),
        (["--ambient-istio-version=1.9.0"], "Istio 1.9.0 is not known here, only 1.24 to 1.31"),
        (["--ambient-cluster=knid"], "unknown cluster 'knid', known are embedded, existing, k3d, kind, minikube\n"),
        (
            ["--ambient-istio-dir=/nope"],
            "--ambient-istio-dir: /nope is no unpacked Istio release, it has neither bin/istioctl nor ",
        ),
    ],
)
def test_what_is_unknown_is_a_mistake(words: list[str], text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2 and one line."""
    assert main(["images", *words]) == 2
    assert capsys.readouterr().err.startswith(f"pytest-ambient: {text}")


def test_a_release_at_hand_decides_the_version(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As it does for the run that these images are for."""
    chart = tmp_path / "manifests" / "charts" / "base" / "Chart.yaml"
    chart.parent.mkdir(parents=True)
    chart.write_text("name: base\nversion: 1.28.3\n")
    found = [one for one, _ in lines(capsys, f"--ambient-istio-dir={tmp_path}")]
    assert "docker.io/istio/ztunnel:1.28.3-distroless" in found
