"""A project that uses the plugin, run by pytest inside a test, with a provider that needs no cluster."""

import os
from collections.abc import Iterator
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

import pytest

import pytest_ambient
from pytest_ambient import _probing
from pytest_ambient.testing import FakeProvider, fake_provider
from tests.plugin.chain import CHAIN, OWN, POLICY
from tests.probe import bench

PROVIDER = """
from pathlib import Path
from pytest_ambient.cluster import provider
from pytest_ambient.testing import FakeProvider

provider.register("fake", lambda: FakeProvider(Path({diary!r}), {fails!r}))
"""


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder of the test's own, and an environment without anybody's choices."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    if not INSTALLED:
        root = str(Path(pytest_ambient.__file__).parent.parent)
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([root, os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep))
    for name in ("AMBIENT_CLUSTER", "KUBECONFIG", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "state" / "pytest-ambient"


INSTALLED = any(entry.value == "pytest_ambient.plugin" for entry in entry_points(group="pytest11"))
"""Whether pytest finds the plugin by itself; it does not in a checkout that nobody installed."""

XDIST = pytest.mark.skipif(find_spec("xdist") is None, reason="xdist is not installed")

ALONE_OR_DEALT = [pytest.param((), id="alone"), pytest.param(("-n2",), id="xdist", marks=XDIST)]
"""Arguments of a run in one process and of one with workers: nothing that a person reads may differ."""

PLUGIN = () if INSTALLED else ("-p", "pytest_ambient.plugin")


class Project:
    """A folder with a conftest that makes `--ambient-cluster=fake` known."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.provider = FakeProvider(pytester.path / "diary")

    def write(self, test: str, *, fails: str | None = None, conftest: str = "") -> None:
        """Write the tests, and the text with which the bring-up fails."""
        self.pytester.makeconftest(PROVIDER.format(diary=str(self.provider.diary), fails=fails) + conftest)
        self.pytester.makepyfile(test)

    def add(self, conftest: str) -> None:
        """Add to the conftest."""
        path = self.pytester.path / "conftest.py"
        path.write_text(path.read_text() + conftest)

    def run(self, *arguments: str) -> pytest.RunResult:
        """Run pytest in a process of its own."""
        return self.pytester.runpytest_subprocess(*PLUGIN, "-p", "no:cacheprovider", *arguments, timeout=60)


@pytest.fixture
def project(pytester: pytest.Pytester) -> Project:
    """An empty project."""
    return Project(pytester)


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeProvider]:
    """A provider without clusters, and a Bookinfo without pods."""
    monkeypatch.setattr(_probing, "furnish", lambda cluster, settings, run, say: settings.namespace or "bookinfo")
    with fake_provider(tmp_path / "diary") as provider:
        yield provider


@pytest.fixture
def own(project: Project) -> Project:
    """A user's own rule: a module and the manifest beside it."""
    project.write("", conftest=CHAIN)
    project.pytester.makepyfile(test_own=OWN)
    (project.pytester.path / "bench.py").write_text(Path(bench.__file__).read_text())
    (project.pytester.path / "test_own.yaml").write_text(POLICY)
    return project
