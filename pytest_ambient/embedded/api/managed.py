"""managedFields: which writer owns which fields."""

from dataclasses import dataclass, field, replace

from ..objects import Object
from .errors import bad_request
from .fields import Leaves, Path, from_fields, to_fields


@dataclass(frozen=True)
class Manager:
    """One writer in one role; `operation` is Apply or Update."""

    name: str
    operation: str
    api_version: str
    subresource: str = ""

    def __str__(self) -> str:
        words = f'"{self.name}"'
        if self.subresource:
            words += f' with subresource "{self.subresource}"'
        return words if self.operation == "Apply" else f"{words} using {self.api_version}"


@dataclass(frozen=True)
class Claim:
    """What a manager owns, and when it last said so."""

    manager: Manager
    paths: frozenset[Path]
    time: str = field(default="", compare=False)


def claims(obj: Object | None) -> list[Claim]:
    """The claims that an object carries; 400 when they can't be read."""
    found = []
    for each in (obj or {}).get("metadata", {}).get("managedFields") or ():
        if not each:
            continue
        if each.get("operation") not in ("Apply", "Update"):
            raise bad_request(f'metadata.managedFields.operation: Invalid value: "{each.get("operation", "")}"')
        manager = Manager(
            each.get("manager", ""), each["operation"], each.get("apiVersion", ""), each.get("subresource", "")
        )
        found.append(Claim(manager, frozenset(from_fields(each.get("fieldsV1") or {})), each.get("time", "")))
    return found


def record(obj: Object, owned: list[Claim]) -> None:
    """Write the claims into the object; managers without fields are left out."""
    entries = []
    for each in sorted(owned, key=lambda claim: (claim.manager.operation, claim.time, claim.manager.name)):
        if not each.paths:
            continue
        entry: Object = {
            "manager": each.manager.name,
            "operation": each.manager.operation,
            "apiVersion": each.manager.api_version,
            "time": each.time,
            "fieldsType": "FieldsV1",
            "fieldsV1": to_fields(each.paths),
        }
        if each.manager.subresource:
            entry["subresource"] = each.manager.subresource
        entries.append(entry)
    if entries:
        obj["metadata"]["managedFields"] = entries
    else:
        obj["metadata"].pop("managedFields", None)


def updated(owned: list[Claim], manager: Manager, before: Leaves, after: Leaves, now: str) -> list[Claim]:
    """The claims after `manager` changed the leaves from `before` to `after`; unchanged when nothing differs."""
    changed = {path for path, value in after.items() if path not in before or before[path] != value}
    gone = before.keys() - after.keys()
    if not changed and not gone:
        return owned
    mine: frozenset[Path] = frozenset()
    others = []
    for claim in owned:
        if claim.manager == manager:
            mine |= claim.paths
        else:
            left = claim.paths - changed - gone
            others.append(claim if left == claim.paths else replace(claim, paths=frozenset(left)))
    kept = frozenset((mine | changed) - gone)
    return [*others, Claim(manager, kept, now)]
