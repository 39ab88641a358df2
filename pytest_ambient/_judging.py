"""From what was seen of a row to its verdict, and to what is kept and told of it."""

from typing import TYPE_CHECKING

import pytest

from pytest_ambient import _gate, _keeping, _others, _reporting, _results
from pytest_ambient._state import run_of
from pytest_ambient.errors import AmbientError, Inconclusive, Misuse
from pytest_ambient.handles import Verdict
from pytest_ambient.report.junit import properties

if TYPE_CHECKING:
    from pytest_ambient.cluster.provider import Cluster
    from pytest_ambient.probe.rule import RuleRun


def verdict(request: pytest.FixtureRequest, judged: "RuleRun", cluster: "Cluster") -> Verdict:
    """What came of the row of this test; Inconclusive when the probes proved nothing."""
    case = _gate.row_of(request.node, request)
    if case is None:
        raise Misuse("verdict judges a row of a table: put @cases(case(...), ...) above the test")
    settings, module = run_of(request.config).settings, request.path.stem
    rule = _gate.facts(request.node).rule or module
    try:
        result = judged.result(case)
    except AmbientError as error:
        scene = _keeping.explain(settings, rule, module, case.state, error)
        request.node.user_properties += properties({"kept": scene})
        raise
    lenient = _gate.facts(request.node).level == "documented" and not settings.strict_docs
    result, kept = _keeping.keep(settings, rule, module, result)
    request.node.user_properties += properties({**_results.facts(result, whole=lenient), "kept": kept})
    needs = _gate.facts(request.node).needs
    if "Waypoint" in needs:
        _reporting.look_at_waypoints(request.config, judged.kube, judged.places.ours)
    if result.word == "inconclusive":
        raise Inconclusive(result.text)
    if result.word == "broken" and not cluster.owned:
        _others.undisturbed(request.getfixturevalue("_ambient_probes"), case, result, needs)
    return Verdict(result.text or None, differs=result.reason if lenient else None)
