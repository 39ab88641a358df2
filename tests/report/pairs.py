"""Small reports to be compared: whole documents, made of rules with the words of their cases."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from pytest_ambient.report.counting import KINDS

Object: TypeAlias = dict[str, Any]
Words = Mapping[str, Mapping[str, str]]
"""By rule, by case."""

DIGEST = "sha256:" + "a" * 64


def report(
    rules: Words,
    *,
    istio: str = "1.30.3",
    date: str = "2026-11-20",
    times: Mapping[str, float] | None = None,
    splits: Sequence[tuple[str, float, float, int]] = (),
    features: Mapping[str, str] | None = None,
    digest: str = DIGEST,
    state: str = "complete",
    kubernetes: str = "1.34.3",
    run: str = "",
) -> Object:
    """A document; `splits` are backend, wanted and seen share, size."""
    told = [_rule(name, cases, (times or {}).get(name)) for name, cases in rules.items()]
    results = {one["counts"]["result"] for one in told}
    return {
        "apiVersion": "pytest-ambient/v1",
        "kind": "AmbientConformanceReport",
        "result": "failure" if "failure" in results else "success",
        "reasons": [],
        "publishable": True,
        "unpublishable": [],
        "date": f"{date}T03:00:00Z",
        "seconds": 60.0,
        "state": state,
        "ended": "" if state == "complete" else "Ctrl-C",
        "implementation": None,
        "suite": {
            "name": "pytest-ambient", "version": "1.0", "commit": "", "digest": digest, "python": "3.12.1",
            "pytest": "9.0", "faults": {"digest": "", "faults": 1, "rows": 1, "caught": 1}, "expected": {},
        },
        "run": {"id": run or f"r{date[-2:]}", "provider": "kind", "cluster": "one"},
        "environment": {
            "dataplane": "ztunnel", "istio": istio, "kubernetes": kubernetes,
            "images": {"ztunnel": [f"sha256:{istio}"]}, "unknown": [],
        },
        "options": {"chosen": {"cluster": "kind"}, "timeouts": {"becomes": 30.0}, "weakening": []},
        "features": [
            {"name": name, "state": state, "detected": "by a question", "reason": "", "passed": 0, "cases": 0}
            for name, state in (features or {"Waypoint": "verified"}).items()
        ],
        "profiles": [],
        "others": _counts([]),
        "documented": [],
        "rules": told,
        "splits": [
            {
                "rule": "H2", "case": "is-split", "backend": backend, "wanted": wanted, "share": share,
                "low": 0.0, "high": 1.0, "total": total, "p": 0.5,
            }
            for backend, wanted, share, total in splits
        ],
        "results": {"file": "results.jsonl", "sha256": "0" * 64, "lines": 1},
    }  # fmt: skip


def _rule(name: str, cases: Mapping[str, str], time: float | None) -> Object:
    return {
        "rule": name,
        "about": {f"test_{name}.py": f"what {name} promises."},
        "profiles": ["AMBIENT-L4"],
        "counts": _counts([KINDS[word] for word in cases.values()]),
        "attempts": 3,
        "convergence": {"median": time, "slowest": time} if time is not None else None,
        "seconds": 1.0,
        "cases": [
            {
                "case": case, "test": f"test_{name}.py::{case}", "level": "core", "profile": "AMBIENT-L4", "word": word,
                **({"reason": f"it is {word}\nat length"} if word != "holds" else {}),
            }
            for case, word in cases.items()
        ],
    }  # fmt: skip


def _counts(kinds: Sequence[str]) -> Object:
    number = {kind: kinds.count(kind) for kind in ("passed", "failed", "skipped", "unsupported")}
    result = "failure" if number["failed"] else "partial" if number["skipped"] else "success"
    return {"result": result if kinds else "untested", **number, "unverified": 0}


def saved(folder: Path, document: Object) -> Path:
    """The document in a folder of its own."""
    folder.mkdir(parents=True)
    (folder / "report.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
    return folder
