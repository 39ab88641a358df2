"""The only door to a Kubernetes API server: objects, execs, logs and port-forwards, with errors that stand alone."""

import threading
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pytest_ambient._kube_config import connections, read
from pytest_ambient._kube_exec import Executed, execute
from pytest_ambient._kube_forward import Tunnel, tunnel
from pytest_ambient._kube_rest import Kind, Object, Rest
from pytest_ambient._kube_stream import Dialer, fetch, tls
from pytest_ambient._wait import NotYet, until
from pytest_ambient.errors import KubeError, NotFound

__all__ = ["MANAGER", "Executed", "Kube", "Object", "Tunnel"]

MANAGER = "pytest-ambient"
"""The field manager of what tests apply."""

PATCHES = {
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "json": "application/json-patch+json",
    "apply": "application/apply-patch+yaml",
}


class Kube:
    """One cluster, seen with the credentials of one kubeconfig context; usable from many threads.

    Its methods raise KubeErrors: ServerGone, Forbidden, NotFound, Conflict, Invalid. BrokenEnvironment at the first
    use says that the kubeconfig or the context can't be used.
    """

    def __init__(self, kubeconfig: Path | None = None, context: str | None = None) -> None:
        self.kubeconfig, self.context = kubeconfig, context
        self._lock = threading.RLock()
        self._kinds: dict[str, dict[str, Kind]] = {}

    def kind(self, kind: str) -> Kind:
        """Where `GROUP/VERSION/Kind` lives, as the cluster itself says; raises NotFound for a kind it doesn't have."""
        version, _, name = kind.rpartition("/")
        for fresh in (False, True):
            if fresh or version not in self._kinds:
                self._kinds[version] = self._rest.kinds(version)
            if name in self._kinds[version]:
                return self._kinds[version][name]
        raise NotFound(f"the cluster has no kind {kind}")

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        """The object, None when there is none; raises NotFound for a kind that the cluster doesn't have."""
        path = self.kind(kind).path(namespace, name)
        try:
            return self._rest.json("GET", path)
        except NotFound:
            return None

    def list(self, kind: str, namespace: str | None = None, labels: str = "", fields: str = "") -> list[Object]:
        """All objects of a kind, in one namespace or everywhere, by label and field selector."""
        version, _, name = kind.rpartition("/")
        query = {"labelSelector": labels, "fieldSelector": fields, "limit": "500"}
        found: list[Object] = []
        while True:
            page = self._rest.json("GET", self.kind(kind).path(namespace), query={k: v for k, v in query.items() if v})
            found += [{"apiVersion": version, "kind": name} | item for item in page.get("items") or []]
            query["continue"] = page.get("metadata", {}).get("continue") or ""
            if not query["continue"]:
                return found

    def apply(self, obj: Object, *, force: bool = False, field_manager: str = MANAGER, strict: bool = True) -> Object:
        """Applies an object server-side and gives it as it is now; Conflict names the fields that others own.

        Fields that the API server does not know are refused when it is `strict`, else left out.
        """
        unknown = "Strict" if strict else "Ignore"
        return self._apply(obj, fieldManager=field_manager, force=str(force).lower(), fieldValidation=unknown)

    def rehearse(self, obj: Object) -> Object:
        """The object as it would be had it been applied: whoever admits or completes it is asked, nothing is kept."""
        return self._apply(obj, fieldManager=MANAGER, force="true", dryRun="All")

    def patch(
        self,
        kind: str,
        name: str,
        namespace: str | None,
        body: Object | Sequence[Object],
        type: Literal["merge", "strategic", "json"] = "merge",
        subresource: str = "",
        field_manager: str = MANAGER,
    ) -> Object:
        """Patches an object or a subresource of it and gives it as it is now."""
        path = self.kind(kind).path(namespace, name, subresource)
        return self._rest.json("PATCH", path, body, query={"fieldManager": field_manager}, content=PATCHES[type])

    def delete(self, kind: str, name: str, namespace: str | None = None, *, wait: float | None = None) -> None:
        """Deletes an object; with `wait` (seconds) gives back only when it is gone. An absent one is no error."""
        path = self.kind(kind).path(namespace, name)
        try:
            old = self._rest.json("DELETE", path, {"propagationPolicy": "Background"})
        except NotFound:
            return
        uid = (old.get("metadata") or {}).get("uid") or (old.get("details") or {}).get("uid")

        def gone() -> bool | NotYet:
            left = self.get(kind, name, namespace)
            if left is None or (uid and left["metadata"].get("uid") != uid):
                return True
            return NotYet(f"still there, finalizers {left['metadata'].get('finalizers') or 'none'}")

        if wait is not None:
            where = f"{namespace}/{name}" if namespace else name
            until(gone, what=f"deletion of {kind.rpartition('/')[2]} {where}", within=wait)

    def exec(
        self,
        namespace: str,
        pod: str,
        container: str,
        argv: Sequence[str],
        *,
        stdin: bytes | None = None,
        timeout: float,
    ) -> Executed:
        """What a command in a container gave, within `timeout` seconds; a lost ending is never read as success.

        Raises NotFound when the pod is gone, ExecFailed when the exec can't start or standard input can't be ended.
        """
        query = [("command", word) for word in argv]
        query += [("container", container), ("stdout", "true"), ("stderr", "true")]
        query += [("stdin", "true")] if stdin is not None else []
        return execute(self._dialer, f"/api/v1/namespaces/{namespace}/pods/{pod}/exec", query, stdin, timeout)

    def logs(
        self,
        namespace: str,
        pod: str,
        container: str,
        *,
        since_time: str | None = None,
        tail: int | None = None,
        previous: bool = False,
    ) -> str:
        """A container's log, since a moment (RFC 3339, whole seconds) or its last `tail` lines.

        `previous` is that of its life before it was restarted.
        """
        query = {"container": container}
        query |= {"sinceTime": since_time} if since_time else {}
        query |= {"tailLines": str(tail)} if tail is not None else {}
        query |= {"previous": "true"} if previous else {}
        answer = self._rest.answer("GET", f"/api/v1/namespaces/{namespace}/pods/{pod}/log", query=query)
        return answer.data.decode(errors="replace")

    def pod_http(self, namespace: str, pod: str, port: int, path: str, *, timeout: float = 10) -> str:
        """The body of a GET on a pod's own port, localhost ports included, through a port-forward.

        Raises NotFound where there is no such pod or page, KubeError for any other answer but 200.
        """
        where = f"/api/v1/namespaces/{namespace}/pods/{pod}/portforward"
        status, body = fetch(self._dialer, where, port, path, timeout)
        if status != 200:
            wrong = NotFound if status == 404 else KubeError
            raise wrong(f"{namespace}/{pod}:{port}{path} answered {status}: {body[:200]}")
        return body

    def forward(self, namespace: str, pod: str, port: int, *, timeout: float = 10) -> Tunnel:
        """A way to a pod's own port, localhost ports included; whoever takes it lets it carry one connection."""
        return tunnel(self._dialer, namespace, pod, port, timeout)

    def can(self, verb: str, resource: str, namespace: str | None = None) -> bool:
        """Whether this user may do `verb` on `RESOURCE[.GROUP][/SUBRESOURCE]`."""
        name, _, sub = resource.partition("/")
        plural, _, group = name.partition(".")
        asked = {"verb": verb, "group": group, "resource": plural, "subresource": sub, "namespace": namespace or ""}
        kind = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview"}
        review = kind | {"spec": {"resourceAttributes": asked}}
        answer = self._rest.json("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
        return bool(answer.get("status", {}).get("allowed"))

    def server_version(self) -> str:
        """The API server's version, for example `v1.34.4`."""
        return str(self._rest.json("GET", "/version")["gitVersion"])

    def ahead(self) -> float:
        """Seconds by which the API server's clock is ahead of ours, to about one; 0 when it does not tell the time."""
        return self._rest.ahead()

    def close(self) -> None:
        """Lets all connections go; the next request opens new ones."""
        if "_rest" in self.__dict__:
            self._rest.pool.clear()

    def _apply(self, obj: Object, **query: str) -> Object:
        meta = obj["metadata"]
        path = self.kind(f"{obj['apiVersion']}/{obj['kind']}").path(meta.get("namespace"), meta["name"])
        return self._rest.json("PATCH", path, obj, query=query, content=PATCHES["apply"])

    @cached_property
    def _configuration(self) -> Any:
        return read(self.kubeconfig, self.context)

    @cached_property
    def _rest(self) -> Rest:
        with self._lock:
            return Rest(str(self._configuration.host).rstrip("/"), connections(self._configuration), self._credentials)

    @cached_property
    def _dialer(self) -> Dialer:
        with self._lock:
            cfg = self._configuration
            return Dialer(
                self._rest.host, tls(cfg), getattr(cfg, "tls_server_name", None), self._credentials, cfg.proxy
            )

    def _credentials(self) -> Mapping[str, str]:
        with self._lock:  # a refresh of expired credentials may rewrite them
            settings = self._configuration.auth_settings().values()
            return {auth["key"]: auth["value"] for auth in settings if auth["in"] == "header" and auth["value"]}
