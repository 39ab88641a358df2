"""In which form an answer is wanted: plain, as a table, or metadata alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..objects import Object
from .errors import ApiError
from .registry import Registry
from .route import Target, chosen
from .table import table

JSON = "application/json"


@dataclass(frozen=True)
class Form:
    """The form of an answer: `word` is Object, Table or PartialObjectMetadata."""

    word: str = "Object"
    include: str = "Metadata"
    """What a table's rows carry: None, Metadata or Object."""


def form(accept: str, query: Mapping[str, str]) -> Form:
    """The first form that the client accepts and we have; 406 when there is none."""
    include = chosen(("Metadata", "None", "Object"), query.get("includeObject", ""), "includeObject")
    for part in (accept or JSON).split(","):
        kind, *parameters = (piece.strip() for piece in part.split(";"))
        if kind not in (JSON, "*/*", "application/*", "application/yaml", "text/html", "text/plain"):
            continue
        given = dict(piece.split("=", 1) for piece in parameters if "=" in piece)
        if "as" not in given:
            return Form("Object", include)
        if given.get("g") == "meta.k8s.io" and given.get("v", "v1") == "v1":
            return Form(given["as"].removesuffix("List"), include)
    listed = "application/json, application/yaml"
    raise ApiError(406, "NotAcceptable", f"only the following media types are accepted: {listed}")


def one(registry: Registry, about: Target, obj: Object, wanted: Form) -> Object:
    """One object in the form that is wanted."""
    if wanted.word == "Table":
        return table(
            registry, about.resource, [obj], include=wanted.include, version=obj["metadata"]["resourceVersion"]
        )
    shown = about.shown(obj)
    return _partial(shown) if wanted.word == "PartialObjectMetadata" else shown


def many(registry: Registry, about: Target, objects: Sequence[Object], meta: Object, wanted: Form) -> Object:
    """A list in the form that is wanted; `meta` is the list's metadata."""
    if wanted.word == "Table":
        answer = table(registry, about.resource, objects, include=wanted.include, version=meta["resourceVersion"])
        return answer | {"metadata": meta}
    shown = [about.shown(each) for each in objects]
    if wanted.word == "PartialObjectMetadata":
        items = [_partial(each) for each in shown]
        return {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": meta, "items": items}
    return {"kind": f"{about.resource.kind}List", "apiVersion": about.api_version, "metadata": meta, "items": shown}


def _partial(obj: Object) -> Object:
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}
