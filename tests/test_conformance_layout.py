"""The conformance suite's shape: pairs of one stem, short modules, nothing but cases."""

import ast
from pathlib import Path

import pytest

SUITE = Path(__file__).parent.parent / "conformance"
MODULES = sorted(SUITE.rglob("test_*.py"))
MANIFESTS = sorted(SUITE.rglob("*.yaml"))


def stem(path: Path) -> Path:
    """The path up to the first dot of its name."""
    return path.with_name(path.name.split(".")[0])


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: path.name)
def test_a_manifest_belongs_to_a_module(manifest: Path) -> None:
    """Every manifest stands beside the test of its stem."""
    assert stem(manifest).with_suffix(".py") in MODULES


@pytest.mark.parametrize("module", MODULES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_module_has_no_logic(module: Path) -> None:
    """No condition, loop, try or sleep: rows and one line."""
    tree = ast.parse(module.read_text())
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.If | ast.For | ast.While | ast.Try | ast.With)]
    assert "sleep" not in module.read_text()


@pytest.mark.parametrize("module", MODULES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_module_is_short_and_says_its_rule(module: Path) -> None:
    """At most 60 lines; the docstring opens with the rule's id."""
    tree = ast.parse(module.read_text())
    assert len(module.read_text().splitlines()) <= 60
    assert (ast.get_docstring(tree) or "").split(":")[0].rstrip("0123456789") in set("RELPWHZITS")


def test_no_two_modules_have_a_test_of_one_name() -> None:
    """Named one by one from outside of their root, modules are no part of a test's name, and xdist runs but one."""
    trees = [ast.parse(module.read_text()) for module in MODULES]
    names = [node.name for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert [name for name in names if names.count(name) > 1] == []


@pytest.mark.parametrize("module", MODULES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_module_uses_what_it_names(module: Path) -> None:
    """What is said of other data planes, and any other constant, stands in a row or a marker."""
    tree = ast.parse(module.read_text())
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    stored = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    assert stored - {node.id for node in names if isinstance(node.ctx, ast.Load)} <= {"pytestmark"}
