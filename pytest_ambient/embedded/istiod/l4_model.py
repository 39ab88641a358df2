"""Who is who, and what ztunnels judge connections by. Part of `model`."""

from dataclasses import dataclass
from typing import Literal

from .request_model import Action

TRUST_DOMAIN = "cluster.local"


@dataclass(frozen=True)
class Identity:
    """A service account as the mesh knows it."""

    namespace: str
    account: str

    @property
    def principal(self) -> str:
        """As policies write it: without the scheme."""
        return f"{TRUST_DOMAIN}/ns/{self.namespace}/sa/{self.account}"

    @property
    def uri(self) -> str:
        """As certificates and logs carry it."""
        return f"spiffe://{self.principal}"


@dataclass(frozen=True)
class StringMatch:
    """One string of a policy: exact, or with the `*` forms of Istio."""

    kind: Literal["exact", "prefix", "suffix", "presence"]
    value: str = ""


@dataclass(frozen=True)
class L4Match:
    """One match of a ztunnel policy: every field that is not empty must hold, any value of a field is enough."""

    principals: tuple[StringMatch, ...] = ()
    not_principals: tuple[StringMatch, ...] = ()
    namespaces: tuple[StringMatch, ...] = ()
    not_namespaces: tuple[StringMatch, ...] = ()
    service_accounts: tuple[Identity, ...] = ()
    not_service_accounts: tuple[Identity, ...] = ()
    source_ips: tuple[str, ...] = ()
    not_source_ips: tuple[str, ...] = ()
    destination_ips: tuple[str, ...] = ()
    not_destination_ips: tuple[str, ...] = ()
    destination_ports: tuple[int, ...] = ()
    not_destination_ports: tuple[int, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing is asked; ztunnel skips such a match (rbac_empty_policy)."""
        return self == L4Match()


@dataclass(frozen=True)
class L4Clause:
    """Matches of which one must hold."""

    matches: tuple[L4Match, ...]


@dataclass(frozen=True)
class L4Rule:
    """Clauses (from, to, each when) that must all hold."""

    clauses: tuple[L4Clause, ...]


@dataclass(frozen=True)
class L4Policy:
    """An AuthorizationPolicy or PeerAuthentication as ztunnel gets it (facts: ztunnel's Authorization message)."""

    name: str
    namespace: str
    scope: Literal["Global", "Namespace", "WorkloadSelector"]
    action: Action
    rules: tuple[L4Rule, ...]

    @property
    def key(self) -> str:
        """`NAMESPACE/NAME`, as logs name it."""
        return f"{self.namespace}/{self.name}"
