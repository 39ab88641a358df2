"""The conformance document: everything that one run found out, made of its head, its rows and what was read beside."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Any, TypeAlias

from pytest_ambient.report import counting
from pytest_ambient.report.terminal import natural
from pytest_ambient.verdict.profiles import PROFILES

Object: TypeAlias = dict[str, Any]

API = "pytest-ambient/v1"
KIND = "AmbientConformanceReport"
RED = ("error", "broken", "inconclusive")
SHOWN = 6
"""So many names are told in a reason; the others are counted."""

FACTS = (
    ("reason", "reason"), ("phase", "phase"), ("needs", "needs"), ("expectedOn", "expected_on"),
    ("attempts", "attempts"), ("firstMs", "first_ms"), ("stableMs", "stable_ms"), ("seconds", "seconds"),
    ("duration", "duration"), ("called", "called"), ("wanted", "wanted"), ("got", "got"), ("applied", "applied"),
    ("witness", "evidence"), ("repeat", "repeat"), ("stream", "stream"),
    ("manifest", "manifest"),
    ("kept", "kept"),
)  # fmt: skip
"""What a case says and where a row has it; what a row has not is left out."""


def document(head: Object, rows: Sequence[Object], beside: Object) -> Object:
    """The document. `head` is the first line of results, `rows` are the others; `beside` has `seconds`, `state`,
    `ended`, `environment`, `features` (name, present, detected, reason) and `results`, the digest of the lines."""
    told = sorted(counting.once(rows), key=lambda row: (natural(_rule(row)), _file(row)))
    counted = [row for row in told if row.get("level") != "documented"]
    claimed = {one["name"] for one in beside["features"] if one["present"]}
    weak = bool(head["weakening"]) or beside["state"] != "complete"
    missing = {name: _missing(told, head["suite"], name) for name in ("", *PROFILES)}
    profiles = [_profile(name, counted, claimed, missing[name], weak=weak) for name in PROFILES]
    others = counting.counts([row for row in counted if row.get("profile") not in PROFILES], claimed, weak=weak)
    reasons = list(_reasons(told, missing, head, beside, claimed))
    return {
        "apiVersion": API,
        "kind": KIND,
        "result": _overall(counted, told, beside, partial=bool(reasons)),
        "reasons": reasons,
        **_published(head),
        "date": head["date"],
        **{name: beside[name] for name in ("seconds", "state", "ended")},
        "implementation": head["implementation"],
        "suite": head["suite"],
        "run": {"id": head["run"], "provider": head["provider"], "cluster": head["cluster"]},
        "environment": beside["environment"],
        "options": {"chosen": head["settings"], "timeouts": head["timeouts"], "weakening": head["weakening"]},
        "features": [_feature(one, counted) for one in beside["features"]],
        "profiles": profiles,
        "others": others,
        "documented": [_documented(row) for row in told if row.get("level") == "documented"],
        "rules": [
            _one_rule(name, told, claimed, weak=weak) for name in sorted({_rule(row) for row in told}, key=natural)
        ],
        "splits": [
            {"rule": _rule(row), "case": _case(row), **share} for row in told for share in row.get("split") or ()
        ],
        "results": beside["results"],
    }


def _published(head: Object) -> Object:
    why = ["the embedded mesh is a test bench"] if head["publishable"] is False else []
    why += ["it is not known whose mesh it was: no cluster came up"] if head["publishable"] is None else []
    why += [f"the mesh was broken on purpose: {head['settings']['fault']}"] if head["settings"].get("fault") else []
    return {"publishable": not why, "unpublishable": why}


def _overall(counted: Sequence[Object], told: Sequence[Object], beside: Object, *, partial: bool) -> str:
    """What differs from the documents is no failure, unless documents were to be taken at their word."""
    red = any(counting.KINDS[row["word"]] == "failed" for row in counted) or any(row["word"] in RED for row in told)
    if red or beside["state"] == "bring-up-failed":
        return "failure"
    if not any(row["word"] == "holds" for row in counted):
        return "untested"
    return "partial" if partial else "success"


def _reasons(
    rows: Sequence[Object], missing: Mapping[str, Sequence[str]], head: Object, beside: Object, claimed: set[str]
) -> Iterator[str]:
    if beside["ended"]:
        yield f"{beside['state']}: {beside['ended']}".partition("\n")[0]
    for word in RED:
        found = [row for row in rows if row["word"] == word]
        if found:
            yield f"{len(found)} {word}: {_some([f'{_rule(row)}/{_case(row)}' for row in found])}"
    skipped: dict[str, int] = {}
    for row in rows:
        if row["word"] == "skipped":
            skipped[row.get("reason", "")] = skipped.get(row.get("reason", ""), 0) + 1
    yield from (f"{number} skipped: {reason}" for reason, number in skipped.items())
    names = counting.unverified([row for row in rows if row.get("level") != "documented"], claimed)
    if names:
        yield f"claimed and not verified by a passed case: {', '.join(names)}"
    for name in (*PROFILES, ""):
        if missing[name]:
            yield f"{name or 'no profile'}: {len(missing[name])} rules did not run: {_some(missing[name])}"
    yield from (f"weakened by {word}" for word in head["weakening"])


def _some(names: Sequence[str]) -> str:
    rest = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{', '.join(names[:SHOWN])}{rest}"


def _missing(rows: Sequence[Object], suite: Object, profile: str) -> list[str]:
    """A profile's rules of which no row is there, whatever their level, and those of which whole files are missing."""
    ran, seen = {_rule(row) for row in rows}, {"/".join(_file(row).split("/")[-2:]) for row in rows}
    found = []
    for rule in suite["expected"].get(profile, ()):
        left = [file for file in suite.get("files", {}).get(rule, ()) if file not in seen]
        if rule not in ran:
            found.append(rule)
        elif left:
            found.append(f"{rule} ({', '.join(left)})")
    return sorted(found, key=natural)


def _profile(name: str, rows: Sequence[Object], claimed: set[str], missing: list[str], *, weak: bool) -> Object:
    mine = [row for row in rows if row.get("profile") == name]
    parts = {
        level: counting.counts(
            [row for row in mine if row.get("level", "core") == level], claimed, weak=weak or bool(missing)
        )
        for level in ("core", "extended")
    }
    return {"name": name, **parts, "missing": missing}


def _feature(one: Object, rows: Sequence[Object]) -> Object:
    mine = [row for row in rows if one["name"] in (row.get("needs") or ())]
    passed = sum(row["word"] == "holds" for row in mine)
    state = "absent" if not one["present"] else "verified" if passed else "unverified"
    told = {key: one[key] for key in ("detected", "reason")}
    return {"name": one["name"], "state": state, **told, "passed": passed, "cases": len(mine)}


def _documented(row: Object) -> Object:
    return {"rule": _rule(row), "case": _case(row), "word": row["word"], "reason": row.get("reason", "")}


def _one_rule(name: str, rows: Sequence[Object], claimed: set[str], *, weak: bool) -> Object:
    mine = [row for row in rows if _rule(row) == name]
    times = [float(row["stable_ms"]) for row in mine if row.get("stable_ms") is not None]
    counted = [row for row in mine if row.get("level") != "documented"]
    about = {_file(row): row["about"] for row in mine if row.get("about")}
    return {
        "rule": name,
        "about": dict(sorted(about.items())),
        "profiles": sorted({row["profile"] for row in mine if row.get("profile")}),
        "counts": counting.counts(counted, claimed, weak=weak),
        "attempts": sum(row.get("attempts") or 0 for row in mine),
        "convergence": {"median": round(median(times), 1), "slowest": max(times)} if times else None,
        "seconds": round(sum(row.get("duration") or 0.0 for row in mine), 3),
        "cases": [_one_case(row) for row in mine],
    }


def _one_case(row: Object) -> Object:
    told = {name: row[key] for name, key in FACTS if row.get(key) not in (None, "", [])}
    return {
        "case": _case(row),
        "test": row["nodeid"],
        "level": row.get("level", "core"),
        "profile": row.get("profile", ""),
        "word": row["word"],
        **told,
    }


def _rule(row: Object) -> str:
    return str(row.get("rule") or _file(row).rpartition("/")[2].removesuffix(".py"))


def _file(row: Object) -> str:
    return str(row["nodeid"]).partition("::")[0]


def _case(row: Object) -> str:
    return str(row.get("case") or row["nodeid"].rpartition("::")[2])
