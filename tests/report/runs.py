"""Heads, rows and folders of a run, for reports to be made of."""

import json
from pathlib import Path
from typing import Any, TypeAlias

from pytest_ambient.report import files, html
from pytest_ambient.report.document import document

Object: TypeAlias = dict[str, Any]

DIGEST = f"sha256:{'a' * 64}"


def head(**more: object) -> Object:
    """The first line of results of a run on somebody's cluster that asked for nothing special."""
    suite = {
        "name": "pytest-ambient", "version": "0.1.0", "commit": "b" * 40, "digest": DIGEST, "python": "3.11.7",
        "pytest": "9.2.0", "faults": {"digest": DIGEST, "faults": 3, "rows": 9, "caught": 8},
        "expected": {"AMBIENT-L4": ["R2"], "AMBIENT-L7": ["R3", "R4"]},
    }  # fmt: skip
    return {
        "apiVersion": "pytest-ambient/v1", "kind": "AmbientConformanceResults", "run": "r1", "cluster": "c",
        "provider": "existing", "publishable": True, "date": "2026-11-20T10:00:00Z", "settings": {}, "timeouts": {},
        "weakening": [], "implementation": None, "suite": suite, **more,
    }  # fmt: skip


def row(rule: str, case: str, word: str = "holds", **more: object) -> Object:
    """One row of results."""
    profile = "AMBIENT-L4" if rule == "R2" else "AMBIENT-L7"
    facts = {"rule": rule, "case": case, "profile": profile, "level": "core", "attempts": 3, "duration": 0.5}
    nodeid = f"conformance/test_{rule.lower()}.py::test_it[{case}]"
    return {"nodeid": nodeid, "word": word, "reason": "" if word == "holds" else "HTTP 405", **facts, **more}


def feature(name: str, *, present: bool = True) -> Object:
    """A feature that the cluster was asked for."""
    return {"name": name, "present": present, "detected": "asked of the cluster", "reason": "" if present else "no"}


def beside(*features: Object, **more: object) -> Object:
    """What a document has beside head and rows."""
    results = {"file": "results.jsonl", "sha256": "c" * 64, "lines": 3}
    environment = {"istio": "1.30.3", "mode": "ambient+waypoint", "unknown": []}
    told = {"seconds": 12.5, "state": "complete", "ended": "", "environment": environment, "features": [*features]}
    return {**told, "results": results, **more}


WHOLE = (row("R2", "details-is-reset"), row("R3", "get-is-answered", needs=["Waypoint"]), row("R4", "ninety-ten"))
"""A row of each rule that the suite has."""

SHARE = {
    "backend": "reviews-v1", "wanted": 0.9, "share": 0.62, "low": 0.59, "high": 0.65, "total": 2728, "p": 1e-13,
}  # fmt: skip

RED = row(
    "R3", "delete-is-denied", "broken", called="curl (b/curl-1) -> DELETE http://productpage:9080/",
    wanted="denied at L7",
    got="HTTP 405 <from> the application", applied=["l7/test_method.yaml: AuthorizationPolicy b/get-only"],
    evidence=["a line of a log & more"], repeat="kubectl --context c exec deploy/curl -- curl -X DELETE",
    stable_ms=120.0,
    manifest="# test_method.yaml\nkind: AuthorizationPolicy", seconds=30.1, phase="becomes",
    about="at a waypoint only GET is answered.",
    kept=["artifacts/R3/delete-is-denied.manifest.yaml", "artifacts/R3/scene-test_r3/pods.txt"],
)  # fmt: skip
"""A row that says all that one can say."""


def folder(path: Path, rows: list[Object], told: Object, **more: object) -> Path:
    """A folder as a run leaves it."""
    path.mkdir(parents=True, exist_ok=True)
    end = {name: told[name] for name in files.END}
    lines = [head(**more), *rows, end]
    (path / "results.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    sums = files.summed((path / "results.jsonl").read_bytes())
    made = document(lines[0], rows, {**end, "results": sums})
    files.write(path / "report.yaml", files.dumped(made))
    files.write(path / "report.html", html.page(made))
    return path
