"""The recordings: what was done on a real mesh, in order, and what was seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent
Step = dict[str, Any]
"""One thing done or seen; its first key says what: apply, delete, run, probe, turns, counts, status, open or held."""


@dataclass(frozen=True)
class Log:
    """A proxy's lines in a scenario's time; `cut` when only the first of them were kept."""

    lines: Sequence[str] = ()
    cut: bool = False


@dataclass(frozen=True)
class Recording:
    """One scenario."""

    name: str
    mesh: str
    """What there was before: `none`, `unlabelled`, `ambient` (namespaces enrolled), `waypoint` (bound too)."""
    addresses: Mapping[str, str]
    """Recorded addresses: `namespace/workload`, or `service namespace/name`."""
    steps: Sequence[Step]
    logs: Mapping[str, Log]
    """`ztunnel` and `waypoint`."""
    counters: frozenset[str]


def names() -> list[str]:
    """Every scenario: `istio-VERSION/NN-name`."""
    return sorted(str(path.relative_to(FOLDER).with_suffix("")) for path in FOLDER.glob("istio-*/*.yaml"))


def read(name: str) -> Recording:
    """The scenario of that name."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with (FOLDER / f"{name}.yaml").open() as file:
        found = yaml.load(file, Loader=loader)
    return Recording(
        name=name,
        mesh=found["mesh"],
        addresses=found.get("addresses", {}),
        steps=found["steps"],
        logs={key: Log(**found[key]) for key in ("ztunnel", "waypoint") if key in found},
        counters=frozenset(found.get("counters", ())),
    )


def kind(step: Step) -> str:
    """What sort of step it is."""
    return next(iter(step))


def label(step: Step) -> str:
    """What the recording calls it."""
    return str(next(iter(step.values())))
