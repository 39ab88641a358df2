"""The table of Istio's versions: whole, in order, and found by any form of a version."""

import pytest

from pytest_ambient.errors import Misuse
from pytest_ambient.mesh import versions


def test_rows_are_whole_and_in_order() -> None:
    """Every minor from 1.24 on, once, with a patch of its own and everything that a run may pull."""
    rows = versions.table()
    assert [row.minor for row in rows] == [f"1.{n}" for n in range(24, 24 + len(rows))]
    for row in rows:
        assert row.newest.startswith(f"{row.minor}.")
        assert set(row.addons) == {"kiali", "prometheus", "grafana", "jaeger"}
        assert row.gateway_api.startswith("v1.")
        assert row.source
        oldest, newest = map(versions.number, row.kubernetes)
        assert versions.number(row.kubernetes_minimum) <= oldest < newest
    assert versions.newest() is rows[-1]


@pytest.mark.parametrize("version", ["1.30.3", "1.30", "v1.30.0", "1.30.0-rc.1"])
def test_a_row_is_found_by_any_form_of_its_version(version: str) -> None:
    """With patch or without, with a v or without, a pre-release too."""
    assert versions.of(version).minor == "1.30"


def test_facts_of_one_row() -> None:
    """Istio 1.30 as its sources have it."""
    row = versions.of("1.30.3")
    assert row.gateway_api == "v1.5.1"
    assert row.hub == "registry.istio.io/release"
    assert row.kubernetes_minimum == "1.32"
    assert row.addons["kiali"] == "quay.io/kiali/kiali:v2.26"


def test_an_unknown_version_is_one_line_that_says_what_to_do() -> None:
    """It names the known ones and the way around."""
    with pytest.raises(Misuse) as told:
        versions.of("1.9.4")
    assert str(told.value) == (
        "Istio 1.9.4 is not known here, only 1.24 to 1.31: install it by other means and use --ambient-installer=none"
    )


@pytest.mark.parametrize(
    ("given", "patch"),
    [("1.28", "1.28.10"), ("v1.30.3", "1.30.3"), ("1.31.0-rc.0", "1.31.0-rc.0"), (None, "1.31.1")],
)
def test_a_minor_stands_for_its_newest_patch(given: str | None, patch: str) -> None:
    """A patch that is named stays; nothing at all means the newest of all."""
    assert versions.patch(given) == patch


@pytest.mark.parametrize(
    ("kubernetes", "listed"), [("v1.31.9", False), ("1.32", True), ("v1.36.1+k3s1", True), ("1.37", False)]
)
def test_kubernetes_is_listed_between_both_ends(kubernetes: str, listed: bool) -> None:
    """Both ends count, distributions' suffixes do not."""
    assert versions.of("1.30").lists(kubernetes) is listed


def test_what_is_no_version_is_refused() -> None:
    """A word without numbers names itself."""
    with pytest.raises(Misuse, match="'latest' is no version"):
        versions.minor("latest")
