"""What a waypoint tells a collector of the requests that it carries."""

from ..faults import Fault
from ..istiod.model import Tracer
from ..objects import Object
from .checks import Checks
from .names import upstream
from .xds import typed

TIMEOUT = "5s"


def tracing(checks: Checks) -> Object:
    """How spans are made and where they go; without a tracer there are none."""
    tracer = checks.tracer
    if tracer is None:
        return {}  # without this field Envoy leaves out x-envoy-decorator-operation
    silent = not tracer.hands_on or Fault.TELEMETRY_MISCOUNTS in checks.faults
    return {
        "client_sampling": {"value": 100},
        "random_sampling": {"value": tracer.sampling},
        "overall_sampling": {"value": 100},
        "custom_tags": [{"tag": name, "literal": {"value": value}} for name, value in tracer.tags],
        "provider": {"name": "envoy.tracers.zipkin", "typed_config": _zipkin(tracer)},
        **({"no_context_propagation": True} if silent else {}),
    }


def _zipkin(tracer: Tracer) -> Object:
    cluster = upstream(tracer.port, "HTTP", tracer.hostname)
    uri = {"uri": f"http://{tracer.hostname}{tracer.path}", "cluster": cluster, "timeout": TIMEOUT}
    return typed(
        "config.trace.v3.ZipkinConfig",
        collector_endpoint_version="HTTP_JSON",
        collector_service={"http_uri": uri},
        trace_id_128bit=True,
        shared_span_context=False,
    )
