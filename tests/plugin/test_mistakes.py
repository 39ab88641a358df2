"""A mistake in a module of rules, as its author reads of it: one line with its place, and the same in the summary."""

import pytest

from pytest_ambient.mesh.names import FEATURES
from tests.plugin.conftest import ALONE_OR_DEALT, Project

MODULE = """from pytest_ambient import GET, Answered, DeniedL4, case, cases
@cases(
    {row},
)
def test_rule(verdict): verdict.holds()
"""
TAKEN = "id, source, call, expectation, before, state, unchanged, twin, level, profile, needs, scope, on, within"
ROWS = {
    "level": (
        "case('a-b', 'curl', GET('http://a/'), Answered(404), level='hard')",
        "3: case 'a-b': level must be core, extended or documented, not 'hard'",
    ),
    "value": (
        "case('a-b', 'curl', GET('a'), Answered(404))",
        "3: url must be http://HOST/… or https://HOST/…, not 'a'",
    ),
    "argument": (
        "case('a-b', 'curl', GET('http://a/'), Answered(404), unchange=True)",
        "3: case() got an unexpected keyword argument 'unchange', is unchanged meant?",
    ),
    "missing": (
        "case('a-b', 'curl', Answered(404))",
        f"3: case() missing 1 required positional argument: 'expectation'; it takes {TAKEN}",
    ),
    "method": (
        "case('a-b', 'curl', GET('http://a/'), DeniedL4(who='me'))",
        "3: DeniedL4() got an unexpected keyword argument 'who'; it takes by, via, at",
    ),
    "need": (
        "case('a-b', 'curl', GET('http://a/'), Answered(404), needs='Waypiont')",
        "3: case 'a-b': needs: unknown feature Waypiont (Waypoint?)",
    ),
    "name": (
        "case('a-b', 'curl', GET('http://a/'), Denied4())",
        "3: name 'Denied4' is not defined, is DeniedL4 or DeniedL7 meant?",
    ),
    "table": (
        "case('a-b', 'curl', GET('http://a/'), DeniedL4(), twin='nobody')",
        "2: case 'a-b': twin 'nobody' is no answered case of the same table and state",
    ),
}
MARKS = {
    "mark_of_a_test": (
        "import pytest\n\n@pytest.mark.ambient(needs=('Kiali', 'Waypiont'))\ndef test_a(): pass",
        "3: marker ambient: needs: unknown feature Waypiont (Waypoint?)",
    ),
    "mark_of_a_class": (
        "import pytest\n@pytest.mark.ambient(feature='Kiali')\nclass TestIt:\n    def test_a(self): pass",
        "2: marker ambient: got an unexpected keyword argument 'feature'",
    ),
    "mark_of_a_module": (
        "import pytest\npytestmark = pytest.mark.ambient(profile='l7')\ndef test_a(): pass\ndef test_b(): pass",
        " marker ambient: profile must be AMBIENT-L4, AMBIENT-L7, AMBIENT-ENROLMENT or AMBIENT-TELEMETRY, not 'l7' "
        "(AMBIENT-L7?)",
    ),
    "mark_of_a_parameter": (
        "import pytest\n@pytest.mark.parametrize('a', [pytest.param(1, marks=pytest.mark.ambient(needs=[None]))])\n"
        "def test_a(a): pass",
        "2: marker ambient: needs must be names of features, not None",
    ),
    "mark_of_its_own": (
        "import pytest\n@pytest.mark.ambient(needs='Mine')\ndef test_a(): pass",
        f"2: marker ambient: needs: unknown feature Mine, known are {', '.join(sorted(FEATURES))}",
    ),
}
IMPORT = "from pytest_ambient import Denied4\n"


@pytest.mark.parametrize("arguments", ALONE_OR_DEALT)
def test_a_mistake_is_one_line_with_its_place(project: Project, arguments: tuple[str, ...]) -> None:
    """Once for all workers, no frame of the package."""
    project.write("def test_a(): pass")
    for name, (row, _) in ROWS.items():
        project.pytester.makepyfile(**{f"test_{name}": MODULE.format(row=row)})
    project.pytester.makepyfile(test_import=IMPORT)
    result = project.run("--ambient-cluster=fake", *arguments)
    lines = [f"test_{name}.py:{told}" for name, (_, told) in ROWS.items()]
    lines.append("test_import.py:1: cannot import name 'Denied4' from pytest_ambient, is DeniedL4 or DeniedL7 meant?")
    assert {line: result.outlines.count(line) for line in lines} == dict.fromkeys(lines, 1)
    assert f"{len(lines)} error" in result.outlines[-1]
    assert "Traceback" not in result.stdout.str()


def test_the_summary_tells_what_and_where(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind the file, which stands there already."""
    monkeypatch.setenv("COLUMNS", "250")
    project.write("def test_a(): pass")
    for name, (row, _) in ROWS.items():
        project.pytester.makepyfile(**{f"test_{name}": MODULE.format(row=row)})
    result = project.run("--ambient-cluster=fake")
    assert [line for line in result.outlines if line.startswith("ERROR ")] == sorted(
        f"ERROR test_{name}.py - line {told}" for name, (_, told) in ROWS.items()
    )


def test_a_mistake_in_another_file_names_it(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows may come from a module of their own."""
    monkeypatch.setenv("COLUMNS", "250")
    project.write("def test_a(): pass")
    row = "from pytest_ambient import GET, Answered, case\nROW = case('A', 'curl', GET('http://a/'), Answered(404))"
    project.pytester.makepyfile(rows=row, test_of_rows="import rows\ndef test_b(): pass")
    told = "rows.py:2: case 'A': the id must be a sentence in kebab case, like get-is-answered"
    result = project.run("--ambient-cluster=fake", "-p", "no:xdist")
    assert [line for line in result.outlines if "kebab" in line] == [told, f"ERROR test_of_rows.py - {told}"]


@pytest.mark.parametrize("arguments", ALONE_OR_DEALT)
def test_a_wrong_marker_is_told_before_anything_is_made(project: Project, arguments: tuple[str, ...]) -> None:
    """One line with its place, once for all tests and workers; xdist alone runs what else there is."""
    project.write("def test_a(ambient_cluster): pass")
    project.pytester.makepyfile(**{f"test_{name}": module for name, (module, _) in MARKS.items()})
    result = project.run("--ambient-cluster=fake", *arguments)
    lines = [f"test_{name}.py:{told}" for name, (_, told) in MARKS.items()]
    assert {line: result.outlines.count(line) for line in lines} == dict.fromkeys(lines, 1)
    assert f"{len(lines)} error" in result.outlines[-1]
    assert "Traceback" not in result.stdout.str()
    assert arguments or project.provider.asked() == []


def test_the_summary_tells_of_markers(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module's may stand anywhere in it."""
    monkeypatch.setenv("COLUMNS", "250")
    project.write("def test_a(): pass")
    project.pytester.makepyfile(**{f"test_{name}": module for name, (module, _) in MARKS.items()})
    result = project.run()
    assert f"ERROR test_mark_of_a_class.py::TestIt - line {MARKS['mark_of_a_class'][1]}" in result.outlines
    assert f"ERROR test_mark_of_a_module.py -{MARKS['mark_of_a_module'][1]}" in result.outlines


@pytest.mark.parametrize(
    ("module", "shown"),
    [
        ("import nothing_of_this_name", "E   ModuleNotFoundError: No module named 'nothing_of_this_name'"),
        ("def case(id): ...\ncase(no=1)", "E   TypeError: case() got an unexpected keyword argument 'no'*"),
        ("from pytest_ambient import GET\nTABEL", "E   NameError: name 'TABEL' is not defined"),
        ("Denied4", "E   NameError: name 'Denied4' is not defined"),
        ("raise ValueError('mine')", "E   ValueError: mine"),
    ],
)
def test_what_is_no_word_of_ours_is_left_to_pytest(project: Project, module: str, shown: str) -> None:
    """As it would be without the plugin, with its traceback."""
    project.write("def test_a(): pass")
    project.pytester.makepyfile(test_other=module)
    result = project.run("--ambient-cluster=fake")
    result.stdout.fnmatch_lines(["test_other.py:[12]: in <module>", shown])
