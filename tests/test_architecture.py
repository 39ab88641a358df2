"""The rooms and arrows of ARCHITECTURE.md, held by the imports that are really there."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "pytest_ambient"
CONFORMANCE = PACKAGE.parent / "conformance"

DANGEROUS = {
    "kubernetes": {"_kube_config.py"},
    "websocket": {"_kube_exec.py", "_kube_forward.py", "_kube_stream.py"},
    "subprocess": {"_run.py", "embedded/process.py"},
    "requests": {"_http.py"},
    "tarfile": {"_archive.py"},
    "tenacity": {"_wait.py"},
    "filelock": {"_lock.py"},
    "pytest_kind": {"cluster/kind_child.py"},
}

MAY_IMPORT = {
    "verdict": {"verdict", "errors"},
    "probe": {"probe", "verdict", "manifest", "places", "stuck", "errors", "redact", "_halt", "_kube", "_wait"},
    "mesh": {
        "mesh",
        "manifest",
        "places",
        "stuck",
        "errors",
        "steps",
        "finding",
        "_archive",
        "_halt",
        "_kube",
        "_registry",
        "_run",
        "_fetch",
        "_http",
        "_wait",
    },
    "cluster": {
        "cluster",
        "errors",
        "redact",
        "steps",
        "finding",
        "_halt",
        "_kube",
        "_registry",
        "_run",
        "_fetch",
        "_wait",
        "_lock",
    },
    "report": {"report", "verdict", "errors", "redact"},
    "embedded": {"embedded"},
}
"""For each room, the rooms and modules of the package that it may import."""


def imports(path: Path) -> Iterator[str]:
    """Absolute names of all modules that a file imports, wherever in it."""
    package = ["pytest_ambient", *path.relative_to(PACKAGE).parts[:-1]] if path.is_relative_to(PACKAGE) else []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            prefix = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*prefix, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def sources(folder: Path) -> list[Path]:
    """The Python files of a folder."""
    return sorted(folder.rglob("*.py"))


@pytest.mark.parametrize("tool", sorted(DANGEROUS))
def test_a_dangerous_tool_has_one_home(tool: str) -> None:
    """Only the named modules import the tool."""
    homes = {
        str(path.relative_to(PACKAGE))
        for path in sources(PACKAGE)
        if any(name.split(".")[0] == tool for name in imports(path))
    }
    assert homes <= DANGEROUS[tool]


@pytest.mark.parametrize("room", sorted(MAY_IMPORT))
def test_arrows_point_one_way(room: str) -> None:
    """A room imports nothing but its own modules and those below it."""
    wrong = [
        f"{path.relative_to(PACKAGE)} imports {name}"
        for path in sources(PACKAGE / room)
        for name in imports(path)
        if name.startswith("pytest_ambient.") and name.split(".")[1] not in MAY_IMPORT[room]
    ]
    assert wrong == []


def test_the_embedded_cluster_knows_neither_pytest_nor_the_client() -> None:
    """The cluster under test can't see what tests expect."""
    names = {name.split(".")[0] for path in sources(PACKAGE / "embedded") for name in imports(path)}
    assert not names & {"pytest", "kubernetes", "requests", "tenacity", "filelock"}


def test_the_suite_uses_public_names_only() -> None:
    """A conformance module imports pytest and the public names, nothing else."""
    wrong = [
        f"{path.name} imports {name}"
        for path in sources(CONFORMANCE)
        for name in imports(path)
        if name != "pytest" and not (name.startswith("pytest_ambient.") and name.count(".") == 1)
    ]
    assert wrong == []


def test_loading_the_plugin_loads_nothing_heavy() -> None:
    """Importing the plugin brings in no client, parser or server."""
    code = "import sys, pytest_ambient.plugin; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert not set(loaded.stdout.split()) & {"kubernetes", "requests", "yaml", "aiohttp", "tenacity", "filelock"}


def test_modules_open_with_their_purpose_and_keep_their_size() -> None:
    """Every module has a docstring and at most 300 lines."""
    wrong = [
        str(path.relative_to(PACKAGE.parent))
        for path in [*sources(PACKAGE), *sources(CONFORMANCE)]
        if path.read_text().strip()
        and (not ast.get_docstring(ast.parse(path.read_text())) or len(path.read_text().splitlines()) > 300)
    ]
    assert wrong == []
