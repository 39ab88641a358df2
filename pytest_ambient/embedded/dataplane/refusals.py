"""What a waypoint or a gateway says of a configuration that its Envoy does not take: it goes on with the one it had."""

import datetime
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .envoy import EnvoyRefused
from .ztunnel_log import stamp

_log = logging.getLogger(__name__)


@contextmanager
def told(say: Callable[[str], None]) -> Iterator[None]:
    """Have a refusal said in the proxy's own log, as Istio's proxies do, and nobody else be kept from anything."""
    try:
        yield
    except EnvoyRefused as refused:
        _log.warning("%s", refused)
        kind = "listener.v3.Listener" if "listener(s)" in refused.why else "route.v3.RouteConfiguration"
        words = f"delta config for type.googleapis.com/envoy.config.{kind} rejected: {refused.why}"
        say(f"{stamp(datetime.datetime.now(datetime.UTC))}\twarning\tenvoy config\t{words}\t")
