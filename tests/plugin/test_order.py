"""The order in which files are dealt to workers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from pytest_ambient import GET, Answered, Split, Steady, TimedOut, case
from pytest_ambient._order import longest_first, seconds
from pytest_ambient.verdict.case import Case

from .conftest import XDIST, Project

CALL = GET("http://reviews:9080/reviews/0")
PLAIN = case("it-is-answered", "curl", CALL, Answered(200), unchanged=True)
HALVES = case("halves-are-halves", "curl", CALL, Split({"a": 1, "b": 1}, header=("x", "y")))


@dataclass
class Item:
    """What of an item decides its place."""

    name: str
    path: Path
    callspec: object = field(default=None)


def item(name: str, file: str, row: Case | None = None) -> pytest.Item:
    """A test of a file, with a row or without."""
    spec = SimpleNamespace(params={"verdict": row}) if row is not None else None
    return cast(pytest.Item, Item(name, Path(file), spec))


def names(items: Sequence[pytest.Item]) -> list[str]:
    """Their names."""
    return [one.name for one in items]


def test_long_files_come_first_and_keep_their_order() -> None:
    """A sample outweighs many rows, a file without rows comes last; no file is torn apart."""
    many = [item(f"m{number}", "many.py", PLAIN) for number in range(3)]
    items = [item("x", "plain.py"), *many, item("s1", "split.py", PLAIN), item("s2", "split.py", HALVES)]
    longest_first(items)
    assert names(items) == ["s1", "s2", "m0", "m1", "m2", "x"]


def test_files_that_take_as_long_stay_as_they_were() -> None:
    """Workers must come to the same order."""
    items = [item("b", "b.py", PLAIN), item("a", "a.py", PLAIN), item("z", "z.py"), item("y", "y.py")]
    longest_first(items)
    assert names(items) == ["b", "a", "z", "y"]


def test_what_takes_long_is_known_by_its_row() -> None:
    """States, samples, silence and streams; further rows of a state share its rounds."""
    silent = case("it-is-dropped", "curl", CALL, TimedOut())
    steady = case("it-serves-on", "curl", CALL, Steady(Answered(200)))
    other = case("it-is-answered-there", "curl", CALL, Answered(404), state="there")
    assert seconds([]) == 0
    assert seconds([PLAIN]) == seconds([PLAIN, PLAIN]) < seconds([PLAIN, other]) < seconds([silent])
    assert seconds([silent]) < seconds([steady])
    assert seconds([PLAIN]) < seconds([HALVES])


RULE = """
from pytest_ambient import GET, Answered, Split, case, cases

@cases(case("it-is-so", "curl", GET("http://a/"), {expectation}))
def test_it(verdict): verdict.holds()
"""


@XDIST
@pytest.mark.parametrize(
    ("options", "order"),
    [
        ((), ["c", "b", "a", "a"]),
        (("--no-loadscope-reorder",), ["a", "a", "b", "c"]),
        (("--dist=loadfile",), ["a", "a", "b", "c"]),
    ],
)
def test_workers_begin_with_the_longest_file(project: Project, options: Sequence[str], order: Sequence[str]) -> None:
    """Unless somebody says how tests are dealt: then by their number, or as they were collected."""
    project.write("")
    split = 'Split({"a": 1, "b": 1}, header=("x", "y"))'
    project.pytester.makepyfile(
        test_a="def test_one(): pass\ndef test_two(): pass",
        test_b=RULE.format(expectation="Answered(404)"),
        test_c=RULE.format(expectation=split),
    )
    result = project.run("-n1", "-v", "--ambient-cluster=fake", *options)
    ran = [line.split("test_", 1)[1][0] for line in result.outlines if line.startswith("[gw0] [")]
    assert ran == order


@XDIST
def test_lanes_beside_workers_are_told_to_be_of_no_use(project: Project) -> None:
    """Each worker is a lane, and is dealt one file after the other."""
    project.write("def test_one(): pass")
    said = "ambient: --ambient-lanes says nothing beside -n: each worker is a lane"
    result = project.run("-n2", "--ambient-cluster=fake", "--ambient-lanes=2")
    result.stdout.fnmatch_lines([said])
    for words in (("--ambient-lanes=2",), ("-n2",)):
        project.run("--ambient-cluster=fake", *words).stdout.no_fnmatch_line(said)
