"""What objects look like, as the tables of `schemas/` have it.

A schema may be a `$ref` to another type by its full name; `resolved` follows it.
"""

import hashlib
from functools import cache
from importlib.resources import files

from ..objects import Object
from .resources import Resource
from .tables import OPEN, SHARED, Tables

__all__ = ["DEFINITIONS", "OBJECT_META", "OPEN", "columns", "fingerprint", "full_name", "load", "of", "resolved"]

_BUILT = (
    "meta", "core", "apps", "discovery", "coordination", "rbac", "authentication", "authorization", "policy",
    "autoscaling", "apiextensions", "batch",
)  # fmt: skip
_CUSTOM = ("gateway", "istio", "telemetry", "networking")
_TABLES = Tables()
OBJECT_META = SHARED + "ObjectMeta"
DEFINITIONS = _TABLES.definitions
"""Every type by its full name, once `load` has run."""


@cache
def load() -> None:
    """Read the tables; later calls do nothing."""
    for table in (*_BUILT, *_CUSTOM):
        text = files(__package__).joinpath("schemas", f"{table}.txt").read_text("utf-8")
        _TABLES.read(text, custom=table in _CUSTOM)
    _TABLES.settle()


@cache
def fingerprint() -> str:
    """Changes whenever a table does, so that clients don't go by what they kept of another version."""
    load()
    return hashlib.sha256(repr(DEFINITIONS).encode()).hexdigest()


def resolved(schema: Object) -> Object:
    """The schema itself where it is a reference."""
    while "$ref" in schema:
        schema = DEFINITIONS[schema["$ref"]]
    return schema


@cache
def full_name(group: str, kind: str) -> str:
    """The type's name in OpenAPI for a kind that ships with the cluster, empty when no table has it."""
    load()
    found = (each for each, schema in DEFINITIONS.items() if schema.get("x-kind") == kind and _group(each) == group)
    return next(found, "")


def of(resource: Resource) -> Object:
    """The schema of a kind of the tables; one that takes anything when no table has it."""
    name = full_name(resource.group, resource.kind)
    return DEFINITIONS[name] if name else {"type": "object", OPEN: True}


def columns(resource: Resource) -> list[Object]:
    """The columns with which a custom kind of the tables is printed."""
    return _TABLES.columns.get(full_name(resource.group, resource.kind), [])


def _group(name: str) -> str:
    package = name.rsplit(".", 2)[0].rsplit(".", 1)[-1]
    suffix = {
        "core": "", "meta": "", "gateway": "gateway.networking.k8s.io", "security": "security.istio.io",
        "telemetry": "telemetry.istio.io", "networking": "networking.istio.io",
        "apps": "apps", "batch": "batch", "policy": "policy", "autoscaling": "autoscaling",
        "rbac": "rbac.authorization.k8s.io",
    }  # fmt: skip
    return suffix.get(package, f"{package}.k8s.io")
