"""A cluster's life in one run: steps done one by one, timed and told, and undone in reverse."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_ambient.cluster.lease import Lease, Remove, lease, of_cluster, reap_all, state_folder, words
from pytest_ambient.cluster.preflight import folder_usable
from pytest_ambient.cluster.provider import Cluster, ClusterSpec, Provider
from pytest_ambient.errors import AmbientError, BringUpFailed, ProviderError

Say = Callable[[str], None]

NOTABLE = 0.05
"""Seconds from which on a step is worth a line."""


@dataclass(frozen=True)
class Step:
    """One thing that is done at the start and, perhaps, undone at the end."""

    name: str
    do: Callable[[], None]
    undo: Callable[[], None] | None = None


@dataclass(frozen=True)
class Plan:
    """What a run needs of its cluster's life."""

    provider: Provider
    provider_name: str
    spec: ClusterSpec
    run: str
    keep: str = "never"
    logs: Path | None = None
    """Where the cluster's logs go at the end of a run that failed; nowhere when None."""
    logs_always: bool = False
    """Whether the logs of a run that went well are wanted too."""


class Lifecycle:
    """Brings a cluster up and lets it go; `say` takes one line at a time."""

    def __init__(self, plan: Plan, say: Say, remove: Remove, clock: Callable[[], float] = time.monotonic) -> None:
        self.plan, self.say, self.remove, self.clock = plan, say, remove, clock
        self.cluster: Cluster | None = None
        self.seconds: dict[str, float] = {}
        """How long each step took."""
        self._undo = ExitStack()
        self._lease: Lease | None = None

    def up(self) -> Cluster:
        """The cluster, answering; BringUpFailed, with everything undone again, when a step fails."""
        try:
            reap_all(self.remove, self.say)
            self._steps(
                Step("lease", self._claim, self._release),
                Step(f"cluster {self.plan.provider_name}", self._create, self._remove),
            )
        except BaseException as error:
            self.down(failed=True)
            if not isinstance(error, Exception):
                raise
            reason = error if isinstance(error, AmbientError) else repr(error)  # a foreign provider may raise anything
            raise BringUpFailed(f"cluster {self.plan.provider_name} did not come up: {reason}") from error
        assert self.cluster is not None
        return self.cluster

    def down(self, *, failed: bool) -> None:
        """Undo the steps in reverse, or keep the cluster where that was asked for; a second call does nothing."""
        if failed or self.plan.logs_always:
            self._save_logs()
        if self._lease is not None and self._kept(failed):
            self.say(f"kept {words(self._lease)}: {self._farewell()}")
            self.leave()
        try:
            self._undo.close()
        except Exception as error:  # the run has its results: whatever goes wrong here must not cost them
            self.say(f"not all could be removed: {error}; later: pytest-ambient cleanup")

    def leave(self) -> None:
        """Let what was made stay after this process, on purpose; namespaces are known by their label from then on."""
        assert self._lease is not None
        self._undo.pop_all()
        if self._lease.cluster.owned:
            self._lease.keep()
        else:
            self._lease.end()
        self._lease = None

    def _steps(self, *steps: Step) -> None:
        for step in steps:
            start = self.clock()
            # registered first: what was half done when it failed or was interrupted is undone as well
            if step.undo is not None:
                self._undo.callback(step.undo)
            step.do()
            self.seconds[step.name] = self.clock() - start
            if self.seconds[step.name] >= NOTABLE:
                self.say(f"{step.name} {self.seconds[step.name]:.1f} s")

    def _claim(self) -> None:
        spec, owned = self.plan.spec, self.plan.provider_name != "existing"
        earlier = of_cluster(spec.name)
        if owned and earlier is not None:
            raise ProviderError(_taken(earlier))
        kubeconfig = spec.kubeconfig or spec.folder / "kubeconfig"
        context, folder = spec.context or spec.name, spec.folder if owned else None
        claimed = lease(Cluster(spec.name, kubeconfig, context, owned, self.plan.provider_name, folder), self.plan.run)
        claimed.claim()
        self._lease = claimed
        if folder is not None:
            folder_usable(folder)

    def _release(self) -> None:
        if self._lease is not None:
            self._lease.end()
            self._lease = None

    def _create(self) -> None:
        assert self._lease is not None
        self.cluster = self.plan.provider.create(self.plan.spec)
        self._lease = replace(self._lease, cluster=self.cluster)
        self._lease.write()

    def _remove(self) -> None:
        assert self._lease is not None
        ours, start = self._lease, self.clock()
        self._lease = None  # should the removal fail, the lease stays for `pytest-ambient cleanup`
        if ours.cluster.owned:
            self.plan.provider.delete(ours.cluster)
        elif self.cluster is not None:
            self.remove(ours.cluster, self.plan.run)
        self._lease = ours
        seconds = self.clock() - start
        if self.cluster is not None or seconds >= NOTABLE:  # what never came to be is not worth a line
            self.say(f"removed {words(ours)} {seconds:.1f} s")

    def _kept(self, failed: bool) -> bool:
        if self.cluster is None:
            return False
        return self.plan.keep == "always" or (self.plan.keep == "on-failure" and failed)

    def _farewell(self) -> str:
        assert self._lease is not None
        cluster = self._lease.cluster
        if cluster.owned:
            look = f"kubectl --kubeconfig {cluster.kubeconfig} get pods -A"
            return f"{look}; pytest-ambient down --ambient-name={cluster.name}"
        where = f"--kubeconfig {cluster.kubeconfig} --context {cluster.context}"
        return f"kubectl {where} delete namespace -l pytest-ambient/run={self.plan.run}"

    def _save_logs(self) -> None:
        if self.plan.logs is None or self._lease is None:
            return
        try:
            self.plan.logs.mkdir(parents=True, exist_ok=True)
            self.plan.provider.save_logs(self._lease.cluster, self.plan.logs)
        except (OSError, AmbientError) as error:
            self.say(f"logs of the cluster cannot be saved in {self.plan.logs}: {error}")


def _taken(earlier: Lease) -> str:
    name, owner = earlier.cluster.name, earlier.owner
    if owner is not None and owner.alive:
        return f"cluster {name} belongs to a run that goes on (process {owner.pid}): give another --ambient-name"
    return (
        f"cluster {name} is there already: pytest-ambient down --ambient-name={name}, "
        f"or test it with --ambient-cluster=existing --ambient-kubeconfig={earlier.cluster.kubeconfig}"
    )


def spec_folder(name: str) -> Path:
    """The folder of the state of a cluster of that name."""
    return state_folder() / "clusters" / name
