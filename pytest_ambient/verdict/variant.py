"""What is expected where another data plane or another version runs: conditions, as data beside the case."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_ambient.verdict.expectation import AnyExpectation

DATAPLANES = ("ztunnel", "kmesh")
PRODUCTS = ("istio", *DATAPLANES)
"""What has versions."""

Version = tuple[int, ...]
_TERM = re.compile(r"([a-z]+)(?:(<=|>=|==|<|>)(\d+\.\d+(?:\.\d+)?))?")
_NUMBERS = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?")


@dataclass(frozen=True)
class Unsupported:
    """Nothing is expected: the rule cannot be kept here, or nobody knows how; the row is skipped with this reason."""

    why: str

    def __post_init__(self) -> None:
        if not self.why.strip():
            raise ValueError("Unsupported needs a reason")

    def __str__(self) -> str:
        return f"unsupported: {self.why}"


@dataclass(frozen=True)
class World:
    """What was found to run: the data plane, and the versions of its parts by product."""

    dataplane: str = "ztunnel"
    versions: tuple[tuple[str, str], ...] = ()
    """`("istio", "1.30.3")` and so on; several of one product where its parts disagree, none where no image tells."""
    silent: str = ""
    """Why no proxy of the data plane testifies at L4; empty where one does."""


@dataclass(frozen=True)
class Term:
    """One part of a condition: a data plane, or a product with a range of its versions."""

    name: str
    relation: str = ""
    bound: Version = ()

    def holds(self, world: World) -> bool | None:
        """Whether it is so; None when the versions that were found do not tell."""
        if self.name in DATAPLANES and self.name != world.dataplane:
            return False
        if not self.relation:
            return True
        found = {parsed(version) for name, version in world.versions if name == self.name}
        said = {self._within(version) for version in found if version}
        return said.pop() if len(said) == 1 else None

    def _within(self, version: Version) -> bool:
        """Compared as far as the bound goes, so that 1.26.8 is `<=1.26`."""
        mine = version[: len(self.bound)]
        return {
            "<": mine < self.bound, "<=": mine <= self.bound, "==": mine == self.bound,
            ">=": mine >= self.bound, ">": mine > self.bound,
        }[self.relation]  # fmt: skip


@dataclass(frozen=True)
class Where:
    """A condition on what runs: all of its terms."""

    text: str
    terms: tuple[Term, ...]

    @classmethod
    def of(cls, text: str) -> "Where":
        """From `kmesh`, `istio<1.29`, `kmesh istio>=1.27`; ValueError says what is wrong, in one line."""
        if not text.split():
            raise ValueError("a condition is empty")
        return cls(" ".join(text.split()), tuple(_term(word, text) for word in text.split()))

    def holds(self, world: World) -> bool | None:
        """Whether all of it is so; None when versions that nobody knows decide."""
        said = [term.holds(world) for term in self.terms]
        if False in said:
            return False
        return None if None in said else True

    def unknown(self, world: World) -> str:
        """Why it cannot be decided, in words."""
        names = [term.name for term in self.terms if term.holds(world) is None]
        found = [version for name, version in world.versions if name == names[0]]
        told = f"its parts run {' and '.join(sorted(set(found)))}" if found else "no image tells it"
        return f"the version of {names[0]} decides ({self.text}), and {told}"


@dataclass(frozen=True)
class Variant:
    """What is expected where a condition holds, in place of what is expected elsewhere."""

    where: Where
    expected: "AnyExpectation | Unsupported"


def variants(on: "Mapping[str, AnyExpectation | Unsupported]") -> tuple[Variant, ...]:
    """From a table, the first condition that holds being the one that counts; ValueError for one that is none."""
    return tuple(Variant(Where.of(key), expected) for key, expected in on.items())


def chosen(choices: Iterable[Variant], world: World) -> Variant | Unsupported | None:
    """The variant that counts; Unsupported when nobody knows which; None when none does."""
    for variant in choices:
        held = variant.where.holds(world)
        if held is None:
            return Unsupported(variant.where.unknown(world))
        if held:
            return variant
    return None


def worlds(choices: Iterable[Variant]) -> Iterator[World]:
    """One world of every sort that the conditions tell apart."""
    terms = [term for variant in choices for term in variant.where.terms]
    bounds: dict[str, set[Version]] = {}
    for term in terms:
        if term.relation:
            bounds.setdefault(term.name, set()).update(_around(term.bound))
    for plane in DATAPLANES:
        for versions in product(*(sorted(found) for found in bounds.values())):
            told = tuple((name, ".".join(map(str, one))) for name, one in zip(bounds, versions, strict=True))
            yield World(plane, told)


def parsed(version: str) -> Version:
    """`v1.30.3-rc.0` as (1, 30, 3); empty when it is no version."""
    found = _NUMBERS.match(version)
    return tuple(int(part) for part in found.groups(default="0")) if found else ()


def _term(word: str, text: str) -> Term:
    found = _TERM.fullmatch(word)
    name = found[1] if found else ""
    if found is None or name not in PRODUCTS or (name not in DATAPLANES and not found[2]):
        known = f"{', '.join(DATAPLANES)} and versions like istio<1.29"
        raise ValueError(f"unknown condition {word!r}{f' in {text!r}' if word != text else ''}, known are {known}")
    return Term(name, found[2] or "", tuple(map(int, found[3].split("."))) if found[3] else ())


def _around(bound: Version) -> tuple[Version, ...]:
    """The bound, what comes right before and what right after."""
    major, minor, patch = (*bound, 0)[:3]
    before = (major, minor, patch - 1) if patch else (major, max(minor - 1, 0), 99)
    return before, (major, minor, patch), (major, minor + (len(bound) == 2), patch + (len(bound) == 3))
