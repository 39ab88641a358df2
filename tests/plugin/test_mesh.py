"""A run that brings its mesh along: by whom it is installed, what is told, and what is left when it is interrupted."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pytest_ambient.cluster import embedded
from pytest_ambient.embedded import versions
from pytest_ambient.testing import FakeInstaller
from tests.plugin.conftest import ALONE_OR_DEALT, PLUGIN, Project

MESH = """
import time
from pytest_ambient.cluster.provider import Cluster
from pytest_ambient.mesh import gateway_api, images, installer
from pytest_ambient.steps import Step
from pytest_ambient.testing import FakeInstaller

provider.register("bare", lambda: FakeProvider(Path({diary!r}), meshed=False))
provider.register("existing", lambda: Attaching(Path({diary!r}), meshed=False))
fake = FakeInstaller(Path({mesh!r}), {fails!r})
installer.register("fake", lambda: fake)
gateway_api.steps = lambda target, spec: [Step("gateway-api", lambda: None)]
gateway_api.uninstall = lambda target, spec: None

class Attaching(FakeProvider):
    def create(self, spec):
        return Cluster("prod", Path("config"), "prod", False, "existing")

from pytest_ambient.cluster import lease
from pytest_ambient import _bringup
_bringup.remove_namespaces = lambda cluster, run: fake_entry("namespaces", run)

def fake_entry(verb, about):
    from pytest_ambient._fakes import _enter
    _enter(fake.diary, verb, about)
"""

TEST = "def test_one(ambient_cluster): pass\n"

BARE = ("--ambient-cluster=bare", "--ambient-installer=fake")


class Furnished(Project):
    """A project with a provider of bare clusters and an installer."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        super().__init__(pytester)
        self.installer = FakeInstaller(pytester.path / "mesh")

    def furnish(self, test: str = TEST, *, fails: str | None = None, conftest: str = "") -> None:
        """Write the tests, and the name of the step that fails."""
        names = {"diary": str(self.provider.diary), "mesh": str(self.installer.diary), "fails": fails}
        self.write(test, conftest=MESH.format(**names) + conftest)


@pytest.fixture
def bare(pytester: pytest.Pytester) -> Furnished:
    """A project whose clusters come without a mesh."""
    return Furnished(pytester)


@pytest.mark.parametrize("arguments", ALONE_OR_DEALT)
def test_a_bare_cluster_gets_its_mesh_once(bare: Furnished, arguments: tuple[str, ...]) -> None:
    """By whoever owns the run; what the nodes must pull is one line; all goes with the cluster."""
    bare.furnish()
    result = bare.run(*BARE, *arguments)
    result.assert_outcomes(passed=1)
    assert bare.provider.asked()[0] == "create"
    assert bare.provider.asked()[-1] == "delete"
    assert "load_image" in bare.provider.asked()
    asked = bare.installer.asked()
    assert (asked[0], sorted(asked[1:])) == ("do control-plane", ["do agents", "do proxies"])
    pulled = [line for line in result.outlines if "the nodes pull" in line]
    assert len(pulled) == 1
    result.stdout.fnmatch_lines(
        ["ambient: the nodes pull * of * images themselves, */pilot:* among them: */pilot:* is not on this machine"]
    )


def test_images_of_this_machine_are_loaded_and_not_told(bare: Furnished) -> None:
    """Where all are here, nothing is pulled and nothing said."""
    bare.furnish(conftest="FakeProvider.load_image = lambda self, cluster, image: None\n")
    result = bare.run(*BARE)
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*the nodes pull*")


@pytest.mark.parametrize("arguments", ALONE_OR_DEALT)
def test_a_step_that_fails_is_every_tests_error(bare: Furnished, arguments: tuple[str, ...]) -> None:
    """With the evidence collected first, in the folder of the report where there is one."""
    bare.furnish(fails="agents")
    result = bare.run(*BARE, "--ambient-report=out", "--ambient-istio-version=1.30.3", *arguments)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "*the mesh in cluster bare did not come up: agents of Istio 1.30.3 does not come",
            "  evidence in */out/artifacts/cluster",
        ]
    )
    assert bare.provider.asked()[-2:] == ["save_logs", "delete"]
    assert (bare.pytester.path / "out" / "artifacts" / "cluster" / "log").exists()


def test_an_existing_cluster_gets_no_mesh_unless_one_is_asked_for(bare: Furnished) -> None:
    """And then it is taken out again, after the namespaces of the run."""
    bare.furnish()
    bare.run("--ambient-cluster=existing").assert_outcomes(passed=1)
    assert [entry.split()[0] for entry in bare.installer.asked()] == ["namespaces"]
    bare.installer.diary.unlink()
    bare.run("--ambient-cluster=existing", "--ambient-installer=fake").assert_outcomes(passed=1)
    asked = bare.installer.asked()
    assert asked[0] == "do control-plane"
    assert asked[3].startswith("namespaces r")
    assert asked[4:] == ["undo proxies", "undo agents", "undo control-plane"]
    assert bare.provider.asked() == []


WRONG = {
    "installer": (["--ambient-installer=helmet"], "unknown installer 'helmet', known are argocd, fake, helm, *, none"),
    "addon": (["--ambient-addons=kialy"], "unknown addon 'kialy', known are *kiali*"),
    "version": (["--ambient-istio-version=1.9"], "Istio 1.9 is not known here, only *: install it by other means *"),
    "upgrade": (
        ["--ambient-istio-version=1.30.3", "--ambient-upgrade-to=1.31.0"],
        "--ambient-upgrade-to: 1.31.0 is no patch of Istio 1.30: name another patch of 1.30, as images alone are *",
    ),
    "kubernetes": (
        ["--ambient-kubernetes-version=1.29", "--ambient-istio-version=1.30"],
        "--ambient-kubernetes-version: Istio 1.30.* needs Kubernetes 1.32 or newer, got 1.29",
    ),
    "kubernetes-form": (
        ["--ambient-kubernetes-version=v1.34"],
        "--ambient-kubernetes-version: wanted a version like 1.34 or 1.34.0, got 'v1.34'",
    ),
    "release": (
        ["--ambient-istio-dir=."],
        "--ambient-istio-dir: * is no unpacked Istio release, it has neither bin/istioctl nor manifests/charts",
    ),
    "release-unused": (
        ["--ambient-installer=none", "--ambient-istio-dir=release"],
        "--ambient-istio-dir is for what is installed: give --ambient-installer or --ambient-addons",
    ),
    "channel-unused": (
        ["--ambient-installer=none", "--ambient-gateway-api=experimental"],
        "--ambient-gateway-api is for a mesh that is installed: give --ambient-installer",
    ),
    "channel": (
        ["--ambient-gateway-api=beta"],
        "--ambient-gateway-api: wanted one of standard, experimental, got 'beta'",
    ),
    "dataplane": (["--ambient-dataplane=cilium"], "--ambient-dataplane: wanted one of ztunnel, kmesh, got 'cilium'"),
    "kubernetes-of-existing": (
        ["--ambient-cluster=existing", "--ambient-kubernetes-version=1.34"],
        "--ambient-kubernetes-version is for a cluster that is created: existing is found by --ambient-context",
    ),
}


@pytest.mark.parametrize(("arguments", "message"), WRONG.values(), ids=WRONG)
def test_what_can_never_work_is_one_line_before_anything_is_made(
    bare: Furnished, arguments: list[str], message: str
) -> None:
    """Exit 4."""
    bare.furnish()
    (bare.pytester.path / "release" / "bin").mkdir(parents=True)
    (bare.pytester.path / "release" / "bin" / "istioctl").write_text("")
    result = bare.run("--ambient-cluster=bare", "--ambient-installer=fake", *arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {message}"])
    assert len([line for line in result.errlines if line.strip()]) == 1
    assert bare.provider.asked() == []


OWN = {
    "installer": ("--ambient-installer=helm", "--ambient-installer"),
    "dataplane": ("--ambient-dataplane=kmesh", "--ambient-dataplane"),
    "addons": ("--ambient-addons=kiali", "--ambient-addons"),
    "kubernetes": ("--ambient-kubernetes-version=1.34", "--ambient-kubernetes-version"),
    "channel": ("--ambient-gateway-api=standard", "--ambient-gateway-api"),
}


@pytest.mark.parametrize(("argument", "which"), OWN.values(), ids=OWN)
def test_a_cluster_with_a_mesh_of_its_own_gets_no_other(project: Project, argument: str, which: str) -> None:
    """Whoever asks for one has taken it for something else."""
    result = project.run("--ambient-cluster=embedded", argument)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {which} is for clusters without a mesh: embedded comes with its own"])


@pytest.mark.parametrize("version", ["9.9", "1.30.4", "1.31"])
def test_a_mesh_of_its_own_has_the_version_it_has(project: Project, version: str) -> None:
    """Before anything is made; its own version, or minor, may be said."""
    result = project.run("--ambient-cluster=embedded", f"--ambient-istio-version={version}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [f"ERROR: --ambient-istio-version: embedded comes with Istio {embedded.ISTIO}, wanted {version}"]
    )
    minor = embedded.ISTIO.rpartition(".")[0]
    for own in (embedded.ISTIO, minor):
        assert project.run("--ambient-cluster=embedded", f"--ambient-istio-version={own}").ret != result.ret


def test_a_mesh_of_its_own_goes_to_another_patch_only(project: Project) -> None:
    """Told before it is started."""
    result = project.run("--ambient-cluster=embedded", f"--ambient-upgrade-to={embedded.ISTIO}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: --ambient-upgrade-to: {embedded.ISTIO} is the version that runs: name *"])


def test_the_version_that_embedded_is_said_to_have_is_its_own() -> None:
    """It is written down twice."""
    assert embedded.ISTIO == versions.VERSION


def test_the_check_of_an_installer_runs_before_anything_is_made(bare: Furnished) -> None:
    """One line, exit 4."""
    bare.furnish(conftest="fake.refuses = 'helm is not on PATH'\n")
    result = bare.run(*BARE)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: helm is not on PATH"])
    assert bare.provider.asked() == []


SLOW = """
from pytest_ambient._wait import NotYet, until
def slow(self, name, spec, real=FakeInstaller._step):
    step = real(self, name, spec)
    def do():
        step.do()
        if name != "control-plane":
            Path("begun-" + name).write_text("")
            until(lambda: NotYet("no"), what=name, within=60)
    return Step(name, do, step.undo)
FakeInstaller._step = slow
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_a_run_that_is_stopped_while_steps_go_side_by_side(
    bare: Furnished, state: Path, number: signal.Signals
) -> None:
    """A request ends the threads and undoes what they did; a kill leaves a lease by which another process does."""
    bare.furnish(conftest=SLOW)
    arguments = ["--ambient-cluster=existing", "--ambient-installer=fake", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *PLUGIN, *arguments]
    process = subprocess.Popen(command, cwd=bare.pytester.path, stdout=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 30
        while not all((bare.pytester.path / f"begun-{name}").exists() for name in ("agents", "proxies")):
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(number)
        process.communicate(timeout=40)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    asked, left = bare.installer.asked(), list((state / "leases").iterdir())
    if number is not signal.SIGKILL:
        assert asked[3:] == ["undo proxies", "undo agents", "undo control-plane"]
        assert left == []
        return
    assert asked[3:] == []
    assert json.loads(left[0].read_text())["installed"]["installer"] == "fake"
    result = bare.run("--ambient-cluster=existing")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        ["ambient: removed namespaces of run r* and Istio * (fake) in context prod, left behind by a run that is gone"]
    )
    asked = bare.installer.asked()
    assert (asked[3].split()[0], asked[4]) == ("namespaces", f"uninstall {asked[3].split()[1]}-mesh")
