"""Traces of single requests: each gets an identity of its own, and Jaeger is asked what it has of that."""

import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import replace

from pytest_ambient._kube import Kube, Object
from pytest_ambient.errors import KubeError, NotFound
from pytest_ambient.probe.config import tracers_at_waypoint
from pytest_ambient.probe.gateways import GATEWAY_NAME
from pytest_ambient.probe.logs import Logs, Proxy
from pytest_ambient.verdict.call import Call
from pytest_ambient.verdict.outcome import Span, Spans
from pytest_ambient.verdict.traced import Traced

JAEGER, QUERY, TRACES = "app=jaeger", 16686, "/jaeger/api/traces"
"""Jaeger as Istio's samples install it: its pods' label, the port and the path of its query API."""
_NODE = 4
"""The parts of a proxy's name, `KIND~ADDRESS~POD.NAMESPACE~DOMAIN`."""


def fresh() -> str:
    """The identity of a new trace, 128 bits of which the first is set: no tool takes it for a shorter one."""
    return f"{secrets.randbits(128) | 1 << 127:032x}"


def carrying(call: Call, trace: str) -> Call:
    """The request as part of that trace, sampled, in the words of both W3C and B3: tracers read one of them."""
    parent = secrets.token_hex(8)
    b3 = {"x-b3-traceid": trace, "x-b3-spanid": parent, "x-b3-sampled": "1"}
    return replace(call, headers=(*call.headers, ("traceparent", f"00-{trace}-{parent}-01"), *b3.items()))


class Traces:
    """What Jaeger has."""

    def __init__(self, kube: Kube, logs: Logs) -> None:
        self.kube, self.logs = kube, logs

    def of(self, trace: str, wanted: Traced) -> Spans | None:
        """The spans of a trace as they are now; None when Jaeger can't be asked."""
        try:
            pods = self.kube.list("v1/Pod", wanted.root, labels=JAEGER, fields="status.phase=Running")
            if not pods:
                return None
            name = pods[0]["metadata"]["name"]
            text = self.kube.pod_http(wanted.root, name, QUERY, f"{TRACES}/{trace}")
            return Spans(trace, tuple(_spans(json.loads(text))))
        except NotFound:
            return Spans(trace)
        except (KubeError, ValueError):
            return None

    def explained(self, spans: Spans | None, wanted: Traced) -> Spans | None:
        """Of a trace without spans, whether the waypoint's own configuration says where they go."""
        if spans is None or spans.found:
            return spans
        pods = self.kube.list("v1/Pod", wanted.namespace, labels=f"{GATEWAY_NAME}={wanted.waypoint}")
        proxies = [Proxy(wanted.namespace, pod["metadata"]["name"]) for pod in pods]
        dumps = (self.logs.dump(proxy, fresh=True) for proxy in proxies)
        service = f"{wanted.service}.{wanted.namespace}.svc."
        told = [one for dump in dumps for one in tracers_at_waypoint(dump, service)]
        return replace(spans, traces=all(told) if told else None)


def _spans(answer: Object) -> Iterator[Span]:
    for trace in answer.get("data") or ():
        for span in trace.get("spans") or ():
            tags = {str(tag.get("key")): str(tag.get("value")) for tag in span.get("tags") or ()}
            parents = [one for one in span.get("references") or () if one.get("refType") == "CHILD_OF"]
            parent = str(parents[0].get("spanID", "")) if parents else ""
            cluster = tags.get("upstream_cluster", "")
            yield Span(str(span.get("spanID")), parent, str(span.get("operationName")), _proxy(tags), cluster)


def _proxy(tags: Mapping[str, str]) -> str:
    """The pod of the proxy that sent a span."""
    parts = tags.get("node_id", "").split("~")
    return parts[2] if len(parts) == _NODE else ""
