"""What the plugin adds to pytest: marker, fixtures, skips, texts; and what it costs where nobody uses it."""

import subprocess
import sys
from pathlib import Path

import pytest

import pytest_ambient
from tests.plugin.conftest import PLUGIN, XDIST, Project

HEAVY = ("kubernetes", "requests", "yaml", "aiohttp", "tenacity", "filelock")


def test_public_names_are_sorted_and_all_there() -> None:
    """`__all__` is what the package gives, in the order in which ruff sorts."""
    assert {name: getattr(pytest_ambient, name) for name in pytest_ambient.__all__}
    assert sorted({*pytest_ambient.__all__, "__version__"}) == sorted(dir(pytest_ambient))
    modules = {path.stem for path in Path(pytest_ambient.__file__).parent.iterdir()}
    assert not modules & set(pytest_ambient.__all__), "importing such a module would put it in the name's place"
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = pytest_ambient.nothing


def test_a_project_that_does_not_use_it_loads_nothing_heavy(project: Project) -> None:
    """A whole run, configured and collected, imports no client, parser, server or lock."""
    project.pytester.makepyfile(f"""
        import sys
        def test_light():
            assert not set(sys.modules) & set({HEAVY!r})
            assert not [name for name in sys.modules if name.startswith("pytest_ambient.cluster")]
    """)
    project.run("-p", "no:pytest-kind").assert_outcomes(passed=1)


def test_the_console_script_is_light_too() -> None:
    """Asking for help imports nothing heavy."""
    code = f"""
import sys
from pytest_ambient.cli import main
try:
    main(["--help"])
except SystemExit:
    pass
assert not set(sys.modules) & set({HEAVY!r})
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, capture_output=True)


def test_marker_and_options_are_registered(project: Project) -> None:
    """Strict markers and warnings as errors are content, and `--markers` explains."""
    project.write("import pytest\n@pytest.mark.ambient(rule='X1')\ndef test_a(): pass")
    project.run("--strict-markers", "-W", "error").assert_outcomes(skipped=1)
    project.run("--markers").stdout.fnmatch_lines(["@pytest.mark.ambient(*, rule='', needs=(), *"])
    project.run("--help").stdout.fnmatch_lines(["Istio ambient mesh:", "*--ambient-cluster=NAME*"])


def test_fixtures_are_their_own_manual(project: Project) -> None:
    """`pytest --fixtures` shows every public fixture with its docstring."""
    project.write("")
    lines = project.run("--fixtures").outlines
    chain = [
        "ambient_settings",
        "ambient_cluster",
        "ambient_mesh",
        "bookinfo",
        "source_pod",
        "ambient_apply",
        "verdict",
    ]
    for name in chain:
        (index,) = [number for number, line in enumerate(lines) if line.startswith((f"{name} ", f"{name} ["))]
        assert lines[index + 1].startswith("    "), name
        assert "no docstring" not in lines[index + 1], name


SKIPS = {
    "profile": (
        "profile='AMBIENT-L7'",
        ["--ambient-profile=AMBIENT-L4"],
        "profile AMBIENT-L7 is not selected: --ambient-profile=AMBIENT-L4",
    ),
    "no-profile": ("", ["--ambient-profile=AMBIENT-L4"], "profile none is not selected: --ambient-profile=AMBIENT-L4"),
    "disruptive": ("disruptive=True", [], "it disturbs the mesh for others: --ambient-disruptive"),
}


@pytest.mark.parametrize(("marker", "arguments", "reason"), SKIPS.values(), ids=SKIPS)
def test_a_test_that_is_not_asked_for_skips_with_its_reason(
    project: Project, marker: str, arguments: list[str], reason: str
) -> None:
    """The reason names the option; no cluster is made for skipped tests alone."""
    project.write(f"import pytest\n@pytest.mark.ambient({marker})\ndef test_a(ambient_cluster): pass")
    result = project.run("--ambient-cluster=fake", "-rs", *arguments)
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines([f"SKIPPED * {reason}"])
    assert project.provider.asked() == []


FEATURES = """
import pytest

@pytest.fixture(scope="session")
def ambient_features():
    from pytest_ambient.mesh.features import Feature
    waypoint = Feature("Waypoint", False, "no GatewayClass istio-waypoint")
    return {"Waypoint": waypoint, "Kiali": Feature("Kiali", True, "")}
"""


def test_a_missing_feature_skips_with_the_mesh_s_own_reason(project: Project) -> None:
    """What the mesh has not is told with the question's answer; what it has runs."""
    project.write(
        """
        import pytest
        @pytest.mark.ambient(needs="Waypoint")
        def test_a(ambient_cluster): pass
        @pytest.mark.ambient(needs=["Kiali"])
        def test_b(ambient_cluster): pass
        """,
        conftest=FEATURES,
    )
    result = project.run("--ambient-cluster=fake", "-rs")
    result.assert_outcomes(skipped=1, passed=1)
    result.stdout.fnmatch_lines(["SKIPPED * the mesh has no Waypoint (no GatewayClass istio-waypoint)"])


LATE = """
def pytest_collection_modifyitems(items):
    items[0].add_marker(pytest.mark.ambient(%s))
"""


@pytest.mark.parametrize(
    ("argument", "told"),
    [
        ("needs='Waypiont'", "needs: unknown feature Waypiont (Waypoint?)"),
        ("feature='Waypoint'", "marker ambient: got an unexpected keyword argument 'feature'"),
    ],
)
def test_a_wrong_marker_that_comes_after_the_collection_is_the_tests_error(
    project: Project, argument: str, told: str
) -> None:
    """A typing error in `needs` never skips, nor does it become an internal error."""
    project.write("def test_a(ambient_cluster): pass", conftest=FEATURES + LATE % argument)
    result = project.run("--ambient-cluster=fake")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([told])


def test_our_errors_show_their_text_and_no_frames(project: Project) -> None:
    """A red test shows what happened, once, and the summary line has its beginning."""
    project.write("""
        from pytest_ambient.errors import BrokenPromise
        def test_a():
            raise BrokenPromise("curl -> GET http://a\\n  wanted   peace")
        def test_b():
            assert 1 == 2
    """)
    result = project.run()
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*test_a*", "curl -> GET http://a", "  wanted   peace"])
    result.stdout.fnmatch_lines(["FAILED *test_a - curl*"])
    result.stdout.no_fnmatch_line("*raise BrokenPromise*")
    result.stdout.fnmatch_lines(["*assert 1 == 2*"])


def test_it_works_where_xdist_is_switched_off(project: Project) -> None:
    """Hooks of xdist are optional."""
    project.write("def test_a(ambient_cluster): pass")
    result = project.pytester.runpytest_subprocess(*PLUGIN, "-p", "no:xdist", "-W", "error", "--ambient-cluster=fake")
    result.assert_outcomes(passed=1)


WHO = """
import os

def test_one(): print("dealt", __name__, os.environ["PYTEST_XDIST_WORKER"])
def test_two(): print("dealt", __name__, os.environ["PYTEST_XDIST_WORKER"])
def test_three(): print("dealt", __name__, os.environ["PYTEST_XDIST_WORKER"])
def test_four(): print("dealt", __name__, os.environ["PYTEST_XDIST_WORKER"])
"""


@XDIST
def test_a_number_of_workers_deals_out_by_file(project: Project) -> None:
    """`-n2` keeps a module's tests together; an explicit `--dist` is left alone, and so is a run without a cluster."""
    project.write("")
    project.pytester.makepyfile(test_a=WHO, test_b=WHO)
    for arguments, workers in (
        (["--ambient-cluster=fake"], 1),
        (["--ambient-cluster=fake", "--dist=load"], 2),
        ([], 2),
    ):
        result = project.run("-n2", "-rP", *arguments)
        result.assert_outcomes(passed=8)
        seen = {tuple(line.split()[1:]) for line in result.outlines if line.startswith("dealt")}
        assert len([name for name, _ in seen if name == "test_a"]) == workers, arguments
