"""Tells how what was seen differs from what was recorded."""

import json
import re
from collections.abc import Mapping
from typing import Any

from .asking import REFUSED, Answer
from .recording import Step
from .words import plain

Found = list[tuple[str, str, str]]
"""Aspect, recorded, seen."""

_VALUES = {"date", "content-length", "set-cookie", "x-envoy-upstream-service-time", "etag", "last-modified"}
"""Headers whose values are chance or the program's own."""
_PROXY = {"x-envoy-upstream-service-time", "x-envoy-decorator-operation"}
_APPLICATION = {"server"}
"""Headers whose value counts only when a proxy wrote it."""


def verdict(code: int) -> int:
    """An exit code's class."""
    return 52 if code in REFUSED else code


def probe(step: Step, seen: Answer) -> Found:
    """How an answer differs from a probe's."""
    if "shell" in step:
        recorded = step["out"].strip()
        return [("answer", recorded, seen.body.strip())] if recorded != seen.body.strip() else []
    if verdict(step["exit"]) != verdict(seen.exit):
        return [("exit", str(step["exit"]), f"{seen.exit} {seen.status} {seen.body[:80]}")]
    status = step.get("status", "")
    if status != seen.status:
        return [("status", status, f"{seen.status} {seen.body[:80]}")]
    return [*_headers(step, seen), *_body(step, seen)] if status else []


def turns(step: Step, seen: Answer) -> Found:
    """How an answer differs from the one that a poll ended with."""
    recorded = (verdict(step["exit"]), step["code"])
    found = (verdict(seen.exit), seen.code)
    return [] if recorded == found else [("exit", f"{recorded[0]} {recorded[1]}", f"{found[0]} {found[1]}")]


def _headers(step: Step, seen: Answer) -> Found:
    found: Found = []
    pairs = (line.split(":", 1) for line in step["headers"])
    recorded = {name.strip().lower(): value.strip() for name, value in pairs}
    here = dict(seen.headers)
    here.pop("date", None)
    recorded.pop("date", None)
    for name in sorted(recorded.keys() | here.keys()):
        one, other = recorded.get(name, "-"), here.get(name, "-")
        if "own page" in step and name not in _PROXY:
            continue
        if name in recorded and name in here and (name in _VALUES or _own(name, one, other)):
            continue
        if plain(one) != plain(other):
            found.append((f"header {name}", one, other))
    return found


def _own(name: str, one: str, other: str) -> bool:
    return name in _APPLICATION and "istio-envoy" not in (one, other)


def _body(step: Step, seen: Answer) -> Found:
    if "marks" in step:
        missing = [mark for mark in step["marks"] if mark not in seen.body]
        return [("body", each, "-") for each in missing]
    if "own page" in step:
        return []
    one, other = _facts(step.get("body", "")), _facts(seen.body)
    return [("body", one[:300], other[:300])] if one != other else []


def _facts(body: str) -> str:
    try:
        found = json.loads(body)
    except ValueError:
        return plain(body).strip()
    return plain(json.dumps(_steady(found), sort_keys=True))


def _steady(value: Any) -> Any:
    """A body without what chance decides: reviews' stars, request ids, sizes and ports."""
    if isinstance(value, Mapping):
        return {
            key: _steady(each) for key, each in value.items() if key not in {"rating", "X-Request-Id", "clustername"}
        }
    if isinstance(value, list):
        return [_steady(each) for each in value]
    return re.sub(r"curl/[\d.]+", "curl", value) if isinstance(value, str) else value


def counts(step: Step, seen: Mapping[str, int]) -> Found:
    """How a burst's shares differ: another set of backends, or shares that chance doesn't explain."""
    recorded: Mapping[str, int] = step["seen"]
    total, number = sum(recorded.values()), sum(seen.values())
    found: Found = []
    for key in sorted(recorded.keys() | seen.keys()):
        one, other = recorded.get(key, 0) / total, seen.get(key, 0) / max(number, 1)
        if (one == 0) != (other == 0) or abs(one - other) > 5 * (0.25 / step["n"]) ** 0.5 * 2**0.5:
            found.append((f"share {key}", f"{one:.2f}", f"{other:.2f}"))
    return found


def objects(step: Step, seen: Mapping[str, Mapping[str, str]]) -> Found:
    """How statuses differ."""
    found: Found = []
    for name, recorded in step["objects"].items():
        here = seen.get(name)
        if here is None:
            found.append((name, "there", "not there"))
            continue
        for key in sorted(recorded.keys() | here.keys()):
            if recorded.get(key) != here.get(key):
                found.append((f"{name} {key}", recorded.get(key, "-"), here.get(key, "-")))
    return found


def words(step: Step, code: int, output: str, errors: str) -> Found:
    """How kubectl's own words differ from those recorded for an apply or a delete."""
    if step.get("exit", 0) != code:
        return [("exit", f"{step.get('exit', 0)} {step.get('complains', '')}".strip(), f"{code} {errors.strip()}")]
    found: Found = []
    for aspect, recorded, seen in (("says", step["says"], output), ("complains", step.get("complains", ""), errors)):
        one = re.sub(r'"manifests/[^"]*"', '"STDIN"', recorded).strip()
        if one != seen.strip():
            found.append((aspect, one, seen.strip()))
    return found
