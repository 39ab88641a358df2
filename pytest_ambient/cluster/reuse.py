"""Whether a cluster that was kept serves another run, or what is in the way."""

from pytest_ambient.cluster.lease import Lease
from pytest_ambient.cluster.plan import Plan
from pytest_ambient.errors import ProviderError

NAME, WHOLE = "words", "whole"
"""In a record of what was installed: what people call it, and whether it was installed to its end."""


def usable(earlier: Lease, plan: Plan) -> bool:
    """Whether a cluster that was kept under this name serves as well; ProviderError when it is in the way."""
    other = earlier.cluster.provider != plan.provider_name
    if other or earlier.owner is not None or not getattr(plan.provider, "reuses", False):
        raise ProviderError(_taken(earlier))
    there, wanted = earlier.installed or {}, {**(plan.installed or {}), WHOLE: True}
    if plan.installed and there != wanted:
        half = ", half of it" if there and not there.get(WHOLE) else ""
        found = f"{there.get(NAME, 'no mesh of ours')}{half}"
        raise ProviderError(
            f"cluster {earlier.cluster.name} was kept with {found}, wanted is {wanted[NAME]}: "
            f"pytest-ambient down --ambient-name={earlier.cluster.name}, or give another --ambient-name"
        )
    return True


def _taken(earlier: Lease) -> str:
    name, owner = f"{earlier.cluster.name} ({earlier.cluster.provider})", earlier.owner
    if owner is not None and owner.alive:
        return f"cluster {name} belongs to a run that goes on (process {owner.pid}): give another --ambient-name"
    return (
        f"cluster {name} is there already: pytest-ambient down --ambient-name={earlier.cluster.name}, "
        f"or test it with --ambient-cluster=existing --ambient-kubeconfig={earlier.cluster.kubeconfig}"
    )
