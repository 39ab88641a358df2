"""L4 policies of the little mesh, and how a caller meets them."""

from dataclasses import replace
from typing import Any

from pytest_ambient.embedded.istiod.model import Action, L4Clause, L4Match, L4Policy, L4Rule, StringMatch

from .world import Reply

ZTUNNEL = "istio-system/ztunnel-abc"
CURL = StringMatch("exact", "cluster.local/ns/bookinfo/sa/curl")


def policy(action: Action, *matches: L4Match, name: str = "p", **more: Any) -> dict[str, L4Policy]:
    """A namespace-wide policy, by its key."""
    rules = (L4Rule((L4Clause(matches),)),) if matches else ()
    made = replace(L4Policy(name, "bookinfo", "Namespace", action, rules), **more)
    return {made.key: made}


def refused(reply: Reply) -> bool:
    """Whether the connection was made and then closed without a byte."""
    return reply.connected and reply.exit in (52, 56) and reply.status == 0
