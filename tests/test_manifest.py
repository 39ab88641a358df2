"""Manifests: which files belong to a test, what is filled in, what an error says."""

from pathlib import Path

import pytest

from pytest_ambient.errors import ManifestError
from pytest_ambient.manifest import Manifests, image_from, read
from pytest_ambient.places import Places

PLACES = Places("shop", "other", "outside")
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  namespace: ${NAMESPACE}\n"


def written(folder: Path, text: str) -> Path:
    """A manifest with this text."""
    path = folder / "test_x.yaml"
    path.write_text(text)
    return path


def test_the_manifests_of_a_module_have_its_stem(tmp_path: Path) -> None:
    """Set-up, states and the nameless state are told apart; a longer stem belongs to another module."""
    for name in ("test_x.setup.yaml", "test_x.yaml", "test_x.by-query.yaml", "test_x_y.yaml", "test_x.py"):
        (tmp_path / name).touch()
    found = Manifests.beside(tmp_path / "test_x.py")
    assert found.setup == tmp_path / "test_x.setup.yaml"
    assert found.states == {None: tmp_path / "test_x.yaml", "by-query": tmp_path / "test_x.by-query.yaml"}


def test_names_are_filled_in_and_documents_know_their_line(tmp_path: Path) -> None:
    """Comments and empty documents count for nothing but lines."""
    path = written(tmp_path, f"# a comment\n{CONFIG}---\n# nothing\n---\n{CONFIG.replace('name: a', 'name: b')}")
    documents = read(path, PLACES)
    assert [(str(document), document.line) for document in documents] == [
        ("ConfigMap shop/a", 2),
        ("ConfigMap shop/b", 10),
    ]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("a: b\nc: [1\n", r"test_x.yaml:3: "),
        ("a: b\n d: e\n", r"test_x.yaml:2: "),
        (
            CONFIG + "data:\n  x: ${NAMESPACES}\n",
            r"test_x.yaml:7: unknown name \$\{NAMESPACES\}, known are CNI, CNI_NAMESPACE, DATAPLANE_MODE, ISTIOD, ",
        ),
        (f"{CONFIG}---\nkind: Pod\n", r"test_x.yaml:7: not a Kubernetes object: no apiVersion, no metadata.name"),
        ("- a\n", r"test_x.yaml:1: not a Kubernetes object"),
        ("a: b\nc: \x00\n", r"test_x.yaml:2: special characters are not allowed"),
    ],
)
def test_an_error_opens_with_file_and_line(tmp_path: Path, text: str, error: str) -> None:
    """Broken YAML, unknown names and what is no object."""
    with pytest.raises(ManifestError, match=error):
        read(written(tmp_path, text), PLACES)


def test_an_absent_file_is_an_error_of_the_same_kind(tmp_path: Path) -> None:
    """It names the file."""
    with pytest.raises(ManifestError, match=r"nowhere.yaml:1: cannot be read: No such file or directory$"):
        read(tmp_path / "nowhere.yaml", PLACES)


def test_images_are_taken_from_the_mirror_wherever_containers_are(tmp_path: Path) -> None:
    """Only images of containers are touched, in pods and in templates; tag and digest stay."""
    text = CONFIG.replace("ConfigMap", "Deployment") + (
        "spec:\n  template:\n    spec:\n      initContainers:\n      - image: docker.io/istio/a:1\n"
        "      containers:\n      - image: docker.io/b@sha256:12\n      - name: without\n  image: docker.io/c\n"
    )
    (document,) = read(written(tmp_path, text), PLACES, hub="mirror.example/istio/")
    pod = document.object["spec"]["template"]["spec"]
    assert pod["initContainers"] == [{"image": "mirror.example/istio/a:1"}]
    assert pod["containers"] == [{"image": "mirror.example/istio/b@sha256:12"}, {"name": "without"}]
    assert document.object["spec"]["image"] == "docker.io/c"
    assert image_from(None, "docker.io/c") == "docker.io/c"


WAYPOINT = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: w, labels: {istio.io/waypoint-for: service}}
spec: {gatewayClassName: NAME}
"""


def labels(folder: Path, text: str, revision: str) -> dict[str, str]:
    """The labels of the only object of a manifest, where istiod has a revision."""
    places = Places("shop", "other", "outside", revision=revision)
    (document,) = read(written(folder, text), places)
    return dict(document.object["metadata"]["labels"])


def test_waypoints_name_the_istiod_that_looks_after_them(tmp_path: Path) -> None:
    """Where none looks after what names nobody; what the manifest says itself goes before, other Gateways are left."""
    text, plain = WAYPOINT.replace("NAME", "istio-waypoint"), {"istio.io/waypoint-for": "service"}
    assert labels(tmp_path, text, "") == plain
    assert labels(tmp_path, text, "1-30") == plain | {"istio.io/rev": "1-30"}
    assert labels(tmp_path, text.replace("service", "service, istio.io/rev: x"), "1-30") == plain | {
        "istio.io/rev": "x"
    }
    assert labels(tmp_path, WAYPOINT.replace("NAME", "istio"), "1-30") == plain


def test_pods_with_sidecars_name_the_istiod_that_injects_them(tmp_path: Path) -> None:
    """Only those that ask for one; what the manifest says itself goes before."""
    pod = "spec:\n  template:\n    metadata:\n      labels: {app: a, MORE}\n    spec:\n      containers: []\n"
    text = CONFIG.replace("ConfigMap", "Deployment") + pod

    def labelled(more: str, revision: str = "1-30") -> dict[str, str]:
        places = Places("shop", "other", "outside", revision=revision)
        (document,) = read(written(tmp_path, text.replace("MORE", more)), places)
        return dict(document.object["spec"]["template"]["metadata"]["labels"])

    asks = 'sidecar.istio.io/inject: "true"'
    assert labelled(asks)["istio.io/rev"] == "1-30"
    assert labelled(f"{asks}, istio.io/rev: x")["istio.io/rev"] == "x"
    assert "istio.io/rev" not in labelled(asks, "")
    assert "istio.io/rev" not in labelled('sidecar.istio.io/inject: "false"')


def test_pods_name_no_user_where_the_cluster_gives_them_one(tmp_path: Path) -> None:
    """Those of a rule's own manifests too; elsewhere they keep the user that pod security asks for."""
    text = CONFIG.replace("ConfigMap", "Deployment") + (
        "spec:\n  template:\n    spec:\n      containers:\n"
        "      - securityContext: {runAsUser: 100, runAsNonRoot: true}\n      - name: without\n"
    )
    path = written(tmp_path, text)

    def contexts(places: Places) -> list[object]:
        (document,) = read(path, places)
        return [one.get("securityContext") for one in document.object["spec"]["template"]["spec"]["containers"]]

    assert contexts(PLACES) == [{"runAsUser": 100, "runAsNonRoot": True}, None]
    assert contexts(Places("shop", "other", "outside", assigns_users=True)) == [{"runAsNonRoot": True}, None]


def test_places_are_known() -> None:
    """The values that manifests name."""
    assert Places("a", "b", "c").fill("${NAMESPACE} ${OTHER_NAMESPACE} ${OUTSIDE_NAMESPACE}") == "a b c"
