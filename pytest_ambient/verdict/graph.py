"""Expectations of what Kiali shows: traffic between two workloads, and the workloads that it knows."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from pytest_ambient.verdict.outcome import Outcome
from pytest_ambient.verdict.seen import quoted, seen

Object: TypeAlias = Mapping[str, Any]
MOST = 8
"""How many things of another kind a reason lists."""


@dataclass(frozen=True)
class HasEdge:
    """A graph of Kiali's with traffic from one app or workload to another; with `mtls`, all of it over mutual TLS."""

    source: str
    target: str
    namespace: str = "${NAMESPACE}"
    """Where both are."""
    mtls: bool = False

    needs_witness = False
    denies = False
    holds_still = False

    def explain(self, outcome: Outcome) -> str | None:
        """None when the graph has it; else what the graph has in its place."""
        graph = _answer(outcome, "elements")
        if isinstance(graph, str):
            return graph
        nodes = {node["id"]: node for node in _data(graph, "nodes")}
        edges = [edge for edge in _data(graph, "edges") if {edge.get("source"), edge.get("target")} <= set(nodes)]
        mine = [edge for edge in edges if self._joins(nodes[edge["source"]], nodes[edge["target"]])]
        if not mine:
            there = dict.fromkeys(f"{_name(nodes[one['source']])} -> {_name(nodes[one['target']])}" for one in edges)
            return f"a graph without traffic from {self.source} to {self.target}, {_listed(list(there), 'no traffic')}"
        return self._encrypted(mine) if self.mtls else None

    def _joins(self, source: Object, target: Object) -> bool:
        pairs = ((self.source, source), (self.target, target))
        return all(
            node.get("namespace") == self.namespace and name in (node.get("app"), node.get("workload"))
            for name, node in pairs
        )

    def _encrypted(self, edges: list[Object]) -> str | None:
        """Kiali draws an edge for each protocol and may say of one of them only how much is encrypted."""
        shares = [float(edge["isMTLS"]) for edge in edges if edge.get("isMTLS")]
        if shares and min(shares) >= 100:
            return None
        share = f"{min(shares):g} %" if shares else "nothing"
        return f"traffic from {self.source} to {self.target} of which {share} is shown as mutual TLS"

    def __str__(self) -> str:
        kind = " over mutual TLS alone" if self.mtls else ""
        return f"Kiali's graph shows traffic from {self.source} to {self.target}{kind}"


@dataclass(frozen=True)
class HasWorkload:
    """A list of Kiali's with a workload of that name; `ztunnel` is also found under another one, by what it is."""

    name: str
    namespace: str | None = "${NAMESPACE}"
    """Where it is; None for wherever."""

    needs_witness = False
    denies = False
    holds_still = False

    def explain(self, outcome: Outcome) -> str | None:
        """None when it is listed; else what is."""
        found = _answer(outcome, "workloads")
        if isinstance(found, str):
            return found
        items = [item for item in found.get("workloads") or [] if isinstance(item, dict)]
        if any(self._is(item) for item in items):
            return None
        there = dict.fromkeys(f"{item.get('namespace')}/{item.get('name')}" for item in items)
        return f"a list without {self._where()}, {_listed(list(there), 'no workload')}"

    def _is(self, item: Object) -> bool:
        # Kiali before 2.8 does not say what a workload is.
        said = bool(item.get("isZtunnel")) if self.name == "ztunnel" else False
        return self.namespace in (None, item.get("namespace")) and (said or item.get("name") == self.name)

    def _where(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    def __str__(self) -> str:
        return f"Kiali knows the workload {self._where()}"


def _answer(outcome: Outcome, key: str) -> Object | str:
    """The decoded answer, or why it is none of the wanted kind."""
    if outcome.status != 200 or outcome.exit_code:
        return seen(outcome)
    try:
        found = json.loads(outcome.body)
    except ValueError:
        found = None
    if not isinstance(found, dict) or key not in found:
        return f"{seen(outcome)}; no {key} in the body, which is {quoted(outcome.body)}"
    return found


def _data(graph: Object, kind: str) -> Iterator[Object]:
    elements = graph["elements"] if isinstance(graph["elements"], dict) else {}
    for wrapper in elements.get(kind) or []:
        data = wrapper.get("data") if isinstance(wrapper, dict) else None
        if isinstance(data, dict) and "id" in data:
            yield data


def _name(node: Object) -> str:
    return str(node.get("workload") or node.get("app") or node.get("service") or node.get("nodeType") or "unknown")


def _listed(there: list[str], nothing: str) -> str:
    more = f" and {len(there) - MOST} more" if len(there) > MOST else ""
    return f"but with {', '.join(there[:MOST])}{more}" if there else f"and with {nothing} at all"
