"""What the ports of Services speak, by what they say of themselves."""

from ..objects import Object
from .model import ServicePort

_HTTP = ("http", "http2", "http_proxy", "grpc")
_HTTP2 = ("http2", "grpc")
_TCP = ("tcp", "tls", "https", "mongo", "mysql", "redis")
_KUBERNETES = {"kubernetes.io/h2c": "http2", "kubernetes.io/ws": "http", "kubernetes.io/wss": "https"}
_NEVER_SNIFFED = (25, 53, 3306, 27017)  # where servers speak first: plain TCP when nothing is said


def service_port(port: Object) -> ServicePort:
    """The port as its `appProtocol` describes it, or its name up to the first hyphen."""
    number, name, hint = int(port["port"]), str(port.get("name", "")), port.get("appProtocol")
    said = name if hint is None else str(hint)
    word = _KUBERNETES.get(said, said.split("-", 1)[0].lower())
    unknown = word not in _HTTP and word not in _TCP
    opaque = number in _NEVER_SNIFFED if unknown else word in _TCP
    return ServicePort(number, name, "TCP" if opaque else "HTTP", unknown and not opaque, http2=word in _HTTP2)
