"""Rows and tests whose expectation depends on what runs: unsupported is a word of its own, elsewhere is told."""

import json
from xml.etree import ElementTree

import pytest

from tests.plugin.conftest import ALONE_OR_DEALT, Project

KMESH = """
import pytest

@pytest.fixture(scope="session")
def ambient_mesh():
    from pytest_ambient.mesh.dataplane import KMESH
    from pytest_ambient.mesh.readiness import Mesh, Part

    istiod = Part("istiod", "istio-system", 1, 1, "1.26.4")
    kmesh = Part("kmesh", "kmesh-system", 1, 1, "1.2.0")
    return Mesh({"istiod": istiod, "kmesh": kmesh}, (), KMESH)

@pytest.fixture(scope="module")
def ambient_rule(request):
    from pytest_ambient import _gate
    from pytest_ambient.probe.result import CaseResult
    from pytest_ambient.verdict.expectation import Word

    selected = _gate.selected(request)

    class Rule:
        def knows(self, case):
            return False

        def result(self, case):
            assert case in selected
            return CaseResult(case, Word.HOLDS, reason="", evidence=(str(case.expectation),))
    return Rule()
"""

TABLE = """
import pytest
from pytest_ambient import GET, Answered, DeniedL4, Mesh, TimedOut, Unsupported, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="R2")
PAGE = GET("http://productpage:9080/productpage")
REFUSED = DeniedL4(by="x")

@cases(
    case("curl-is-answered", "curl", PAGE, Answered(200), unchanged=True),
    case("details-is-dropped", "details-v1", PAGE, REFUSED, on={"kmesh istio<1.27": TimedOut()}),
    case("ratings-is-unknown", "ratings-v1", PAGE, REFUSED, on={"kmesh": Unsupported("no certificate")}),
    case("reviews-needs-a-word", "reviews-v1", PAGE, REFUSED, on={"kmesh<1.2": TimedOut()}),
)
def test_table(verdict: Verdict) -> None:
    verdict.holds()

@pytest.mark.ambient(on={"kmesh": Unsupported("there is no CNI agent")})
def test_agent(ambient_mesh: Mesh) -> None:
    assert False, "it is asked of ztunnel's meshes only"

@pytest.mark.ambient(on={"istio>=1.30": Unsupported("too new")})
def test_old(ambient_mesh: Mesh) -> None:
    assert ambient_mesh.dataplane.name == "kmesh"
"""


@pytest.fixture
def rules(project: Project) -> Project:
    """A project on a mesh of Kmesh."""
    project.write("", conftest=KMESH)
    project.pytester.makepyfile(test_table=TABLE)
    return project


@pytest.mark.parametrize("xdist", ALONE_OR_DEALT)
def test_unsupported_is_a_word_of_its_own(rules: Project, xdist: tuple[str, ...]) -> None:
    """Skipped for pytest, told apart with its reasons in the closing table."""
    result = rules.run("--ambient-cluster=fake", *xdist)
    result.assert_outcomes(passed=3, skipped=3)
    start = next(number for number, line in enumerate(result.outlines) if " ambient " in line)
    table = [" ".join(line.split()) for line in result.outlines[start + 1 : start + 6]]
    assert table[:2] == ["rule holds unsupported effect, median / slowest", "R2 3 3 -"]
    assert sorted(table[2:]) == [
        "1 unsupported: denied at L4: connection closed without an HTTP byte, refused by ztunnel, by x needs a proxy's "
        "word; Kmesh writes nothing that says why a connection ended",
        "1 unsupported: no certificate",
        "1 unsupported: there is no CNI agent",
    ]


def test_results_say_where_something_else_was_expected(rules: Project) -> None:
    """The row's condition and the expectation under it, in JUnit's properties and in results.jsonl."""
    rules.run("--ambient-cluster=fake", "--ambient-report=out", "--junitxml=out.xml")
    lines = (rules.pytester.path / "out" / "results.jsonl").read_text().splitlines()[1:-1]
    rows = {row.get("case") or row["nodeid"].rpartition("::")[2]: row for row in map(json.loads, lines)}
    assert rows["details-is-dropped"]["expected_on"] == "kmesh istio<1.27"
    assert rows["details-is-dropped"]["evidence"] == ["no answer in time"]
    assert "expected_on" not in rows["curl-is-answered"]
    assert [rows[name]["word"] for name in ("ratings-is-unknown", "test_agent")] == ["unsupported"] * 2
    assert rows["ratings-is-unknown"]["reason"] == "no certificate"
    suite = ElementTree.parse(rules.pytester.path / "out.xml").getroot()
    messages = [str(one.get("message")) for one in suite.iter("skipped")]
    assert "unsupported: no certificate" in messages


@pytest.mark.parametrize(
    ("on", "line"),
    [
        ('{"kmesh": 1}', "marker ambient: on={'kmesh': …} takes Unsupported(why); what is expected is for a case"),
        (
            '{"cilium": Unsupported("x")}',
            "marker ambient: on: unknown condition 'cilium', known are ztunnel, kmesh and versions like istio<1.29",
        ),
    ],
)
def test_a_mistake_in_the_marker_is_one_line(project: Project, on: str, line: str) -> None:
    """It is the user's, and told before anything of the mesh is."""
    project.write(
        f"""
        import pytest
        from pytest_ambient import Unsupported

        @pytest.mark.ambient(on={on})
        def test_one(ambient_cluster):
            pass
        """
    )
    result = project.run("--ambient-cluster=fake")
    result.assert_outcomes(errors=1)
    assert f"test_a_mistake_in_the_marker_is_one_line.py:4: {line}" in result.outlines
