"""The API beside objects: discovery, OpenAPI, version and health."""

import json
import platform

from ..objects import Object
from . import discovery, openapi
from .errors import ApiError, method_not_allowed
from .store import Store

JSON = "application/json"
_HEALTH = frozenset({"/healthz", "/livez", "/readyz"})
_PROTOBUF = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
_NO_DEFINITIONS = b"\n\x032.0\x12\x0f\n\nKubernetes\x12\x01-"
"""OpenAPI 2 without definitions: kubectl asks for it to look into a `kind: List`, whose items the server looks into."""
_ROOTS = ("/api", "/apis", "/openapi/v3", "/version", *sorted(_HEALTH))


class General:
    """Answers the paths that name no object."""

    def __init__(self, store: Store, version: str) -> None:
        self._registry = store.registry
        self._version = version
        self.address = ""

    def answer(self, method: str, path: str, accept: str) -> tuple[str, bytes] | None:
        """Content type and body, None when nothing is there."""
        if method not in ("GET", "HEAD"):
            raise method_not_allowed()
        path = path.rstrip("/")
        if path in _HEALTH or path.rpartition("/")[0] in _HEALTH:
            return "text/plain; charset=utf-8", b"ok"
        if path in ("/api", "/apis") and "as=APIGroupDiscoveryList" in accept:
            return self._aggregated(accept, named=path == "/apis")
        if path == "/openapi/v2":
            return self._old(accept)
        found = self._content(path)
        return None if found is None else (JSON, json.dumps(found, separators=(",", ":")).encode())

    def _aggregated(self, accept: str, *, named: bool) -> tuple[str, bytes] | None:
        """Everything at once; an answer of version v2 for whoever takes it."""
        version = "v2" if "v=v2;" in accept.replace(" ", "") + ";" else "v2beta1"
        content = discovery.aggregated(self._registry, named=named)
        content["apiVersion"] = f"apidiscovery.k8s.io/{version}"
        kind = discovery.AGGREGATED.replace("v=v2;", f"v={version};")
        return kind, json.dumps(content, separators=(",", ":")).encode()

    def _old(self, accept: str) -> tuple[str, bytes]:
        if _PROTOBUF in accept.replace(" ", ""):
            return _PROTOBUF.replace("@", "."), _NO_DEFINITIONS
        if accept and not any(word in accept for word in (JSON, "*/*")):
            listed = f"{JSON}, {_PROTOBUF}"
            raise ApiError(406, "NotAcceptable", f"only the following media types are accepted: {listed}")
        return JSON, json.dumps(openapi.swagger(self._registry, self._version), separators=(",", ":")).encode()

    def _content(self, path: str) -> Object | None:
        if path == "":
            names = (f"/apis/{group}/{version}" for group, listed in self._groups().items() for version in listed)
            return {"paths": [*_ROOTS, "/api/v1", *names]}
        if path == "/version":
            return self._about()
        if path == "/api":
            return discovery.versions(self.address)
        if path == "/apis":
            return discovery.group_list(self._registry)
        if path == "/openapi/v3":
            return openapi.index(self._registry)
        if path.startswith("/openapi/v3/"):
            return openapi.document(self._registry, path.removeprefix("/openapi/v3/"))
        return self._group(path.split("/")[1:])

    def _groups(self) -> dict[str, list[str]]:
        return discovery.groups(self._registry)

    def _group(self, parts: list[str]) -> Object | None:
        if parts == ["api", "v1"]:
            return discovery.resource_list(self._registry, "", "v1")
        if parts[0] != "apis" or len(parts) not in (2, 3):
            return None
        versions = self._groups().get(parts[1])
        if versions is None:
            return None
        return (
            discovery.group(parts[1], versions)
            if len(parts) == 2
            else discovery.resource_list(self._registry, parts[1], parts[2])
        )

    def _about(self) -> Object:
        major, minor = self._version.removeprefix("v").split(".")[:2]
        return {
            "major": major, "minor": minor, "gitVersion": self._version, "gitCommit": "", "gitTreeState": "clean",
            "buildDate": "1970-01-01T00:00:00Z", "goVersion": "", "compiler": f"python{platform.python_version()}",
            "platform": "linux/amd64",
        }  # fmt: skip
