"""The public chain of fixtures, outermost first: settings, cluster, mesh, Bookinfo, source pods, verdicts."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from pytest_ambient import _gate, _xdist
from pytest_ambient._state import run_of
from pytest_ambient.errors import BringUpFailed

if TYPE_CHECKING:
    from pytest_ambient._asking import Probes
    from pytest_ambient._kube import Kube
    from pytest_ambient._lanes import Lanes
    from pytest_ambient.cluster.provider import Cluster
    from pytest_ambient.handles import Apply, SourcePod, Verdict
    from pytest_ambient.mesh.bookinfo import Bookinfo
    from pytest_ambient.mesh.features import Feature
    from pytest_ambient.mesh.foreign import Foreign
    from pytest_ambient.mesh.readiness import Mesh
    from pytest_ambient.places import Places
    from pytest_ambient.probe.rule import RuleRun
    from pytest_ambient.settings import Settings


@pytest.fixture(scope="session")
def ambient_settings(pytestconfig: pytest.Config) -> "Settings":
    """What this run was asked for, by option, environment or ini file: a frozen `Settings`."""
    return run_of(pytestconfig).settings


@pytest.fixture(scope="session")
def ambient_cluster(pytestconfig: pytest.Config) -> "Cluster":
    """The cluster under test: `name`, `kubeconfig`, `context`, and `owned`, whether this run made it.

    Skips the test when no cluster was given. Raises BringUpFailed, in every test alike, when it did not come up.
    """
    run = run_of(pytestconfig)
    if run.settings.cluster is None:
        pytest.skip(_gate.NO_CLUSTER)
    run.up()
    if run.cluster is None:
        raise BringUpFailed(run.failure or "the cluster of this run did not come up")
    return run.cluster


@pytest.fixture(scope="session")
def ambient_kube(ambient_cluster: "Cluster") -> "Kube":
    """The cluster's Kubernetes API: `get`, `list`, `apply`, `patch`, `delete`, `exec`, `logs` over plain objects."""
    from pytest_ambient._kube import Kube

    return Kube(ambient_cluster.kubeconfig, ambient_cluster.context)


@pytest.fixture(scope="session")
def ambient_mesh(ambient_kube: "Kube", ambient_settings: "Settings", pytestconfig: pytest.Config) -> "Mesh":
    """The mesh, once istiod, the CNI agents and the ztunnels answer; what is not ready by then is in its `problems`."""
    from pytest_ambient import _probing

    return _probing.mesh(ambient_kube, ambient_settings, run_of(pytestconfig).say)


@pytest.fixture(scope="session")
def ambient_features(
    ambient_mesh: "Mesh",
    ambient_kube: "Kube",
    ambient_cluster: "Cluster",
    ambient_settings: "Settings",
    pytestconfig: pytest.Config,
) -> "Mapping[str, Feature]":
    """Every known feature by name: whether the mesh was found to have it (`present`), and why not (`reason`)."""
    from pytest_ambient import _probing, _reporting, _surroundings

    found = _probing.features(ambient_kube, ambient_settings, ambient_cluster)
    _reporting.tell(pytestconfig, features=_surroundings.features(found, ambient_settings))
    return found


@pytest.fixture(scope="session")
def ambient_places(
    ambient_mesh: "Mesh", ambient_kube: "Kube", ambient_cluster: "Cluster", pytestconfig: pytest.Config
) -> "Places":
    """The names of this run's namespaces and what else `${NAMESPACE}` and its like stand for.

    Raises BrokenEnvironment when another Istio version is there than the one that must be found.
    """
    from pytest_ambient import _probing

    _probing.agreed(ambient_mesh, run_of(pytestconfig).settings)
    worker = _xdist.worker_id(pytestconfig)
    return _probing.places(ambient_kube, ambient_mesh, ambient_cluster, run_of(pytestconfig), worker)


@pytest.fixture(scope="session")
def _ambient_foreign(ambient_kube: "Kube", ambient_places: "Places", pytestconfig: pytest.Config) -> "Foreign":
    """What policies of others could decide of our rows, as the run begins."""
    from pytest_ambient import _others

    return _others.foreign(ambient_kube, ambient_places, run_of(pytestconfig).id)


@pytest.fixture(scope="session")
def bookinfo(
    ambient_cluster: "Cluster",
    ambient_kube: "Kube",
    ambient_places: "Places",
    ambient_mesh: "Mesh",
    ambient_settings: "Settings",
    pytestconfig: pytest.Config,
) -> "Bookinfo":
    """Bookinfo and pods that call, ready in namespaces of this run's own; under xdist each worker has its own.

    Skips the test where this user may write nothing.
    """
    if ambient_cluster.read_only:
        pytest.skip(ambient_cluster.read_only)
    from pytest_ambient import _probing

    run = run_of(pytestconfig)
    return _probing.bookinfo(ambient_kube, ambient_places, ambient_mesh, ambient_settings, run.id, run.say)


@pytest.fixture(scope="session")
def _ambient_probes(
    bookinfo: "Bookinfo",
    ambient_kube: "Kube",
    ambient_places: "Places",
    ambient_cluster: "Cluster",
    pytestconfig: pytest.Config,
) -> "Iterator[Probes]":
    """What asks from the source pods; its threads end with the session."""
    from pytest_ambient import _asking

    run = run_of(pytestconfig)
    with _asking.probes(ambient_kube, ambient_places, ambient_cluster, run, bookinfo.curl) as probes:
        yield probes


@pytest.fixture(scope="session")
def source_pod(_ambient_probes: "Probes") -> "SourcePod":
    """Finds a pod that calls: `source_pod("details-v1").get("http://reviews:9080/reviews/0").status`.

    The call leaves that very pod, with its service account and its enrolment; `other/curl` calls from a second
    enrolled namespace, `outside/curl` from one that is not meshed.
    """
    from pytest_ambient.handles import SourcePod

    return SourcePod(_ambient_probes.ask, _ambient_probes.find)


@pytest.fixture
def _ambient_gate(request: pytest.FixtureRequest) -> None:
    """Skips a test whose `needs` name a feature that the mesh has not, and one that is unsupported where this runs."""
    reason = _gate.lacking(request.node, request)
    if reason is not None:
        request.node.user_properties += _gate.lacks(request.node, request)
        pytest.skip(reason)
    unsupported = _gate.unsupported(request.node, request)
    if unsupported is not None:
        request.node.user_properties += _gate.aside()
        pytest.skip(str(unsupported))


@pytest.fixture
def _ambient_turn(request: pytest.FixtureRequest, ambient_cluster: "Cluster") -> Iterator[None]:
    """Lets tests that change the mesh for all (scope=mesh) run while no other worker's test of this mesh does."""
    from pytest_ambient import _asking

    with _asking.turn(ambient_cluster, alone=_gate.changes_mesh(request)):
        yield


@pytest.fixture
def ambient_apply(
    request: pytest.FixtureRequest,
    _ambient_turn: None,
    bookinfo: "Bookinfo",
    ambient_cluster: "Cluster",
    ambient_kube: "Kube",
    ambient_places: "Places",
    ambient_settings: "Settings",
) -> "Iterator[Apply]":
    """Applies manifests beside the test: `ambient_apply("allow.yaml")`; they are taken back when the test ends.

    `${NAMESPACE}`, `${OTHER_NAMESPACE}`, `${OUTSIDE_NAMESPACE}`, `${ROOT_NAMESPACE}`, `${TRUST_DOMAIN}`,
    `${WAYPOINT_CLASS}`, `${ISTIOD}`, `${CNI}` and `${ZTUNNEL}` with their `${…_NAMESPACE}` are filled in; with
    `--ambient-upgrade-to` the images of that version, too: `${NEXT_PILOT}`, `${NEXT_INSTALL_CNI}`, `${NEXT_ZTUNNEL}`
    and `${NEXT_PROXYV2}`.
    """
    from pytest_ambient import _asking, _others
    from pytest_ambient.handles import Apply

    with ExitStack() as undo:
        mesh_wide = _gate.facts(request.node).scope == "mesh"
        trace = _others.traced(ambient_cluster, ambient_places, run_of(request.config).id)
        applied = _asking.applier(
            ambient_kube, ambient_places, ambient_settings, undo, mesh_wide=mesh_wide, trace=trace
        )
        yield Apply(request.path.parent, applied)


@pytest.fixture(scope="session")
def _ambient_lanes(
    _ambient_probes: "Probes", ambient_mesh: "Mesh", ambient_settings: "Settings"
) -> "Iterator[Lanes | None]":
    """What judges modules to come beside the one at hand; its threads end with the session."""
    from pytest_ambient import _ahead

    with _ahead.lanes(_ambient_probes, ambient_mesh, ambient_settings) as lanes:
        yield lanes


@pytest.fixture(scope="module")
def ambient_rule(
    request: pytest.FixtureRequest,
    _ambient_probes: "Probes",
    _ambient_lanes: "Lanes | None",
) -> "Iterator[RuleRun]":
    """The rule of a module: its table of cases and the manifests beside it, probed together and state by state."""
    from pytest_ambient import _ahead

    with _ahead.rule(request, _ambient_probes, _ambient_lanes) as run:
        yield run


@pytest.fixture
def verdict(
    request: pytest.FixtureRequest,
    _ambient_turn: None,
    ambient_rule: "RuleRun",
    ambient_cluster: "Cluster",
) -> "Verdict":
    """What came of the row that this test runs: `verdict.holds()`.

    The row was probed before the manifest of the module, after it, and after its removal. Raises Inconclusive here, in
    set-up, when the probes proved nothing: the test then errors, it does not fail.
    """
    from pytest_ambient import _judging

    return _judging.verdict(request, ambient_rule, ambient_cluster)
