"""Which resource a request is about, read from its path."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..objects import Object
from .errors import bad_request, method_not_allowed, no_such_path
from .registry import Registry
from .resources import Resource


@dataclass(frozen=True)
class Target:
    """What a request is about: a kind, perhaps one object of it, perhaps a subresource of that."""

    resource: Resource
    version: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    rest: str = ""
    """What follows the subresource, for proxies."""

    @property
    def api_version(self) -> str:
        """The apiVersion in which it is asked for."""
        return self.resource.in_version(self.version)

    def shown(self, obj: Object) -> Object:
        """The object in the version that was asked for."""
        if self.version == self.resource.version:
            return obj
        return {**obj, "apiVersion": self.api_version}


def target(registry: Registry, path: str) -> Target:
    """The target of a path below `/api` or `/apis`; 404 when nothing is served there."""
    parts = path.split("/")[1:]
    if parts[0] == "api":
        group, version, rest = "", parts[1], parts[2:]
    else:
        group, version, rest = parts[1], parts[2] if len(parts) > 2 else "", parts[3:]
    namespace = ""
    if rest[:1] == ["namespaces"] and len(rest) > 2 and rest[2] not in ("status", "finalize"):
        namespace, rest = rest[1], rest[2:]
    if not rest or not rest[0]:
        raise no_such_path()
    resource = registry.at(group, version, rest[0])
    if resource is None or (namespace and not resource.namespaced):
        raise no_such_path()
    name, subresource = (rest[1] if len(rest) > 1 else ""), (rest[2] if len(rest) > 2 else "")
    if len(rest) > 3 and subresource != "proxy":
        raise no_such_path()
    if name and resource.namespaced and not namespace:
        raise no_such_path()
    return Target(resource, version, namespace, name, subresource, "/".join(rest[3:]))


def verb(method: str, query: Mapping[str, str], about: Target) -> str:
    """The API's word for what is asked: get, list, watch, create, update, patch, delete, deletecollection.

    An exec over a WebSocket is a GET, and so a `get` of `pods/exec` up to Kubernetes 1.34.
    """
    if method in ("GET", "HEAD"):
        if about.name:
            return "get"
        return "watch" if query.get("watch") in ("true", "1") else "list"
    words = {"POST": "create", "PUT": "update", "PATCH": "patch"}
    if method in words:
        return words[method]
    if method == "DELETE":
        return "delete" if about.name else "deletecollection"
    raise method_not_allowed(method)


def flag(query: Mapping[str, str], name: str) -> bool:
    """Whether a query parameter says yes."""
    return query.get(name, "") in ("true", "1", "True")


def whole(query: Mapping[str, str], name: str) -> int | None:
    """A query parameter's number, None when it is not given; 400 when it is no number."""
    text = query.get(name, "")
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None


def chosen(words: Sequence[str], given: str, name: str) -> str:
    """A query parameter that must be one of a few words; the first when it is not given."""
    if given and given not in words:
        listed = ", ".join(f'"{each}"' for each in words)
        raise bad_request(f'{name}: Unsupported value: "{given}": supported values: {listed}')
    return given or words[0]
