"""A run with exactly the documented permissions, with fewer, and with those that only read."""

import copy
from pathlib import Path

import pytest

from pytest_ambient.cluster.existing import Existing
from pytest_ambient.cluster.permissions import listed, wishes
from pytest_ambient.cluster.provider import ClusterSpec
from pytest_ambient.errors import ProviderError

from .estate import Estate, Object, roles

FAST = ("conformance/install", "conformance/l4/test_allow_principal.py", "conformance/l7/test_allow_method.py", "-q")
RULES = [(number, index) for number, role in enumerate(roles()) for index in range(len(role["rules"]))]


def test_the_documented_permissions_are_enough(owned_by_others: Estate, tmp_path: Path) -> None:
    """Rows of every level hold with a service account that has these two roles alone, and nothing stays."""
    before = owned_by_others.names("v1/Namespace")
    config = owned_by_others.account("full", roles())
    ran = owned_by_others.pytest(config, *FAST, state=tmp_path, report=tmp_path / "report")
    assert ran.status == 0, ran.text
    assert {row["word"] for row in ran.rows.values()} == {"holds"}
    assert owned_by_others.names("v1/Namespace") == before


def without(number: int, index: int) -> tuple[list[Object], list[Object]]:
    """The roles without one rule, and that rule in a list."""
    found = copy.deepcopy(roles())
    return found, [found[number]["rules"].pop(index)]


@pytest.mark.parametrize(("number", "index"), RULES)
def test_any_rule_that_is_missing_is_named(owned_by_others: Estate, number: int, index: int) -> None:
    """Before anything is made, with every verb and resource that another rule does not grant too."""
    granted, (gone,) = without(number, index)
    kept = {(w, v) for role in granted for rule in role["rules"] for w in names(rule) for v in rule["verbs"]}
    config = owned_by_others.account(f"less-{number}-{index}", granted)
    missing = [wish for wish in wishes() if (wish.resource, wish.verb) not in kept]
    assert {wish.resource for wish in missing} <= set(names(gone))
    with pytest.raises(ProviderError) as caught:
        Existing().create(ClusterSpec("x", Path("unused"), kubeconfig=config))
    assert f"this user may not {listed(missing)}: " in str(caught.value)


def names(rule: Object) -> list[str]:
    """`RESOURCE.GROUP/SUBRESOURCE` of a rule."""
    group = rule["apiGroups"][0]
    parts = [name.partition("/") for name in rule["resources"]]
    return [f"{name}{f'.{group}' if group else ''}{slash}{sub}" for name, slash, sub in parts]


def test_a_run_with_too_little_says_so_once_and_touches_nothing(owned_by_others: Estate, tmp_path: Path) -> None:
    """Every test errors with the same line."""
    before = owned_by_others.names("v1/Namespace")
    granted, _ = without(1, 1)
    config = owned_by_others.account("little", granted)
    ran = owned_by_others.pytest(config, "conformance/install", state=tmp_path)
    assert ran.status == 1
    told = (
        "ambient: cluster existing did not come up: permissions: this user may not create, patch, delete "
        "serviceaccounts; create, patch, delete services; create, patch, delete pods: all that a run needs is in the "
        "ClusterRoles that `pytest-ambient doctor --rbac` prints"
    )
    assert ran.text.splitlines().count(told) == 1
    assert owned_by_others.names("v1/Namespace") == before


def test_a_reader_gets_the_rows_that_need_no_writing(owned_by_others: Estate, tmp_path: Path) -> None:
    """The mesh's own facts are judged; all that needs namespaces of ours skips with the reason."""
    before = owned_by_others.names("v1/Namespace")
    config = owned_by_others.account("reader", roles()[:1])
    ran = owned_by_others.pytest(config, *FAST, state=tmp_path, report=tmp_path / "report")
    assert ran.status == 0, ran.text
    assert "ambient: read-only: this user may not create namespaces: what has to write is skipped" in ran.text
    held = {name for name, row in ran.rows.items() if row["word"] == "holds"}
    parts = {f"test_part_is_ready[{part}]" for part in ("istiod", "istio-cni", "ztunnel")}
    assert held == {*parts, "test_versions_agree"}
    assert {row["reason"] for name, row in ran.rows.items() if name not in held} == {
        "read-only: this user may not create namespaces"
    }
    assert owned_by_others.names("v1/Namespace") == before
