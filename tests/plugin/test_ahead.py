"""Which modules a lane may judge before their turn: those for which nothing else is set up, and that run for sure."""

import pytest

from tests.plugin.conftest import Project

TOLD = """
def pytest_collection_finish(session):
    from pytest_ambient import _ahead
    files = {}
    for item in session.items:
        files.setdefault(item.path.stem, []).append(item)
    print("free:", *sorted(name for name, items in files.items() if _ahead.free(items)))
"""
RULE = """
import pytest
from pytest_ambient import GET, Answered, case, cases

@cases(case("it-is-so", "curl", GET("http://a/"), Answered(200), unchanged=True))
def test_it(verdict): verdict.holds()
"""
MARKED = RULE.replace("@cases", "@pytest.mark.{mark}\n@cases")
ASKING = RULE.replace("(verdict)", "(verdict, {name})")
FREE = {
    "plain": RULE,
    "tmp": ASKING.format(name="tmp_path"),
    "klass": RULE.replace("@cases", "class TestIt:\n  @cases").replace("def test_it(", "  def test_it(self, "),
    "level": MARKED.format(mark="ambient(level='documented')"),
}
BOUND = {
    "nothing": "def test_it(): pass",
    "both": RULE + "\ndef test_other(): pass",
    "mesh": MARKED.format(mark="ambient(disruptive=True)"),
    "scope": RULE.replace("unchanged=True", "unchanged=True, scope='mesh'"),
    "skip": MARKED.format(mark="skip"),
    "skipif": MARKED.format(mark="skipif('True', reason='no')"),
    "xfail": MARKED.format(mark="xfail(run=False)"),
    "module": RULE + "\ndef setup_module(): pass",
    "function": RULE + "\ndef setup_function(): pass",
    "own": RULE + "\n@pytest.fixture(autouse=True)\ndef own(): pass",
    "over": RULE + "\n@pytest.fixture\ndef _ambient_turn(_ambient_turn): pass",
    "used": MARKED.format(mark="usefixtures('bookinfo')"),
    **{name: ASKING.format(name=name) for name in ("source_pod", "ambient_apply", "ambient_kube", "request")},
}


def free(project: Project, **modules: str) -> list[str]:
    """The modules that a lane may judge."""
    project.pytester.makepyfile(**{f"test_{name}": text for name, text in modules.items()})
    (line,) = [line for line in project.run("--collect-only", "-q").outlines if line.startswith("free:")]
    return [name.removeprefix("test_") for name in line.split()[1:]]


def test_a_module_that_nothing_else_is_set_up_for_is_free(project: Project) -> None:
    """All of its tests are rows that ask for their verdict alone; else what they look at would be gone by then."""
    project.write("", conftest=TOLD)
    assert free(project, **FREE, **BOUND) == sorted(FREE)


@pytest.mark.parametrize("hook", ["pytest_runtest_setup(item)", "pytest_runtest_protocol(item)"])
def test_no_module_is_free_below_a_conftest_that_acts_before_tests(project: Project, hook: str) -> None:
    """It may prepare what they ask, or skip them."""
    project.write("", conftest=f"{TOLD}\ndef {hook}: pass\n")
    assert free(project, **FREE) == []


def test_a_conftest_beside_a_module_binds_no_other(project: Project) -> None:
    """Its hooks and fixtures are for the tests below it."""
    project.write("", conftest=TOLD)
    for name, text in {"here": "def pytest_runtest_setup(item): pass", "there": ""}.items():
        folder = project.pytester.mkdir(name)
        (folder / "conftest.py").write_text(text)
        (folder / f"test_{name}.py").write_text(RULE)
    assert free(project, above=RULE) == ["above", "there"]
