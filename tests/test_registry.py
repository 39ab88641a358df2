"""Providers and installers by name: this package's, those of other packages, and those of one process."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from pytest_ambient import _registry
from pytest_ambient._registry import Registry
from pytest_ambient.cluster import provider
from pytest_ambient.errors import InstallerError, Misuse, ProviderError
from pytest_ambient.mesh import installer


class Whole:
    """Can do all that is asked of it."""

    def check(self) -> None:
        """Fine."""


@dataclass(frozen=True)
class Entry:
    """An entry point of another package."""

    name: str
    load: Callable[[], object]
    group: str = "some.group"
    value: str = "theirs:Thing"


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry[Whole]:
    """One thing of this package, three of others."""

    def broken() -> object:
        raise ImportError("no module named theirs")

    entries = [Entry("broken", broken), Entry("half", lambda: object), Entry("whole", lambda: Whole)]

    def there(group: str, name: str = "") -> list[Entry]:
        return [one for one in entries if one.group == group and name in ("", one.name)]

    monkeypatch.setattr(_registry, "entry_points", there)
    built_in = {"own": f"{__name__}:Whole"}
    return Registry("provider", "cluster", "some.group", built_in, ("check",), ProviderError, ("none",))


def test_what_others_add_is_found_by_its_name(registry: Registry[Whole]) -> None:
    """As this package's own."""
    assert registry.known() == ("broken", "half", "own", "whole")
    assert isinstance(registry.find("own"), Whole)
    assert isinstance(registry.find("whole"), Whole)


def test_a_process_may_put_its_own_in_place_of_one(registry: Registry[Whole]) -> None:
    """And take it back."""
    mine = Whole()
    registry.register("own", lambda: mine)
    registry.register("mine", lambda: mine)
    assert registry.find("own") is registry.find("mine") is mine
    assert "mine" in registry.known()
    for name in ("own", "mine", "mine"):
        registry.forget(name)
    assert registry.find("own") is not mine
    assert "mine" not in registry.known()


def test_an_unknown_name_is_a_mistake(registry: Registry[Whole]) -> None:
    """The known ones are listed, and what else may be said."""
    with pytest.raises(Misuse, match=r"^unknown cluster 'x', known are broken, half, own, whole, none$"):
        registry.find("x")


def test_one_that_cannot_be_loaded_is_told_with_its_package(registry: Registry[Whole]) -> None:
    """Whatever it raises."""
    with pytest.raises(
        ProviderError, match=r"^provider 'broken' \(theirs:Thing\) cannot be loaded: no module named theirs$"
    ):
        registry.find("broken")


def test_one_that_cannot_do_its_part_is_told(registry: Registry[Whole]) -> None:
    """By what it lacks."""
    with pytest.raises(ProviderError, match=r"^provider 'half' lacks check$"):
        registry.find("half")


def test_there_is_one_for_clusters_and_one_for_meshes() -> None:
    """Each with its own names and errors."""
    assert provider.REGISTRY.error is ProviderError
    assert installer.REGISTRY.error is InstallerError
    assert set(provider.BUILT_IN) <= set(provider.known())
    assert set(installer.BUILT_IN) <= set(installer.known())
