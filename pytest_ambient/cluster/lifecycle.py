"""A cluster's life in one run: made, furnished with a mesh, and let go; whatever fails or is interrupted is undone."""

import time
from collections.abc import Callable
from dataclasses import replace

from pytest_ambient.cluster import evidence
from pytest_ambient.cluster.lease import Lease, Remove, lease, of_cluster, reap_all, words
from pytest_ambient.cluster.plan import Plan
from pytest_ambient.cluster.preflight import folder_usable
from pytest_ambient.cluster.provider import Cluster
from pytest_ambient.cluster.reuse import WHOLE, usable
from pytest_ambient.errors import AmbientError, BringUpFailed
from pytest_ambient.steps import NOTABLE, Step, Steps

Say = Callable[[str], None]


class Lifecycle:
    """Brings a cluster up and lets it go; `say` takes one line at a time."""

    def __init__(self, plan: Plan, say: Say, remove: Remove, clock: Callable[[], float] = time.monotonic) -> None:
        self.plan, self.say, self.remove, self.clock = plan, say, remove, clock
        self.cluster: Cluster | None = None
        self._steps = Steps(say, clock)
        self._lease: Lease | None = None
        self._reused = False

    def up(self) -> Cluster:
        """The cluster, answering and furnished; BringUpFailed, with everything undone again, when a step fails."""
        try:
            reap_all(self.remove, self.say)
            self._make()
            assert self.cluster is not None
            self._furnish(self.cluster)
        except Exception as error:
            try:
                found = self._evidence()
            finally:
                self._let_go(failed=True)
            reason = error if isinstance(error, AmbientError) else repr(error)  # a foreign provider may raise anything
            raise BringUpFailed(f"{self._what()} did not come up: {reason}{found}") from error
        except BaseException:
            self._let_go(failed=True)
            raise
        return self.cluster

    def down(self, *, failed: bool) -> None:
        """Undo the steps in reverse, or keep the cluster where that was asked for; a second call does nothing."""
        try:
            if failed or self.plan.logs_always:
                self._save_logs()
        finally:
            self._let_go(failed=failed)

    def leave(self) -> None:
        """Let what was made stay after this process, on purpose; bare namespaces are known by their label from then."""
        assert self._lease is not None
        self._steps.keep()
        if self._lease.cluster.owned or self._lease.installed:
            self._lease.keep()
        else:
            self._lease.end()
        self._lease = None

    def _make(self) -> None:
        earlier = of_cluster(self.plan.spec.name) if self.plan.provider_name != "existing" else None
        self._reused = earlier is not None and usable(earlier, self.plan)
        if self.plan.provider_name == "existing" or self._reused:
            self._steps.do([Step(f"cluster {self.plan.provider_name}", self._attach)])
            self._claim(self.cluster)
        else:
            self._claim(None)
            folder_usable(self.plan.spec.folder)
            self._steps.also(self._delete)
            self._steps.do([Step(f"cluster {self.plan.provider_name}", self._create)])

    def _furnish(self, cluster: Cluster) -> None:
        for group in () if self._reused else self.plan.then(cluster):
            # what is in a cluster of ours goes with it
            self._steps.do([replace(step, undo=None) for step in group] if cluster.owned else group)
        if self._lease is not None and self._lease.installed:
            self._lease = replace(self._lease, installed={**self._lease.installed, WHOLE: True})
            self._lease.write()
        if not cluster.owned:
            # undone first: pods must not be left in a mesh that goes
            self._steps.also(self._remove)

    def _claim(self, cluster: Cluster | None) -> None:
        """Make known that this process answers for what is about to be made, before it is made."""
        plan = self.plan
        if cluster is None:
            folder = plan.spec.folder
            cluster = Cluster(plan.spec.name, folder / "kubeconfig", plan.spec.name, True, plan.provider_name, folder)
        claimed = replace(lease(cluster, plan.run), installed=None if self._reused else plan.installed)
        claimed.claim()
        self._lease = claimed
        self._steps.also(self._release)

    def _release(self) -> None:
        if self._lease is not None and not self._steps.left:  # what is left is for `pytest-ambient cleanup`
            self._lease.end()
        self._lease = None

    def _attach(self) -> None:
        self.cluster = replace(self.plan.provider.create(self.plan.spec), owned=False)

    def _create(self) -> None:
        assert self._lease is not None
        self.cluster = self.plan.provider.create(self.plan.spec)
        self._lease = replace(self._lease, cluster=self.cluster)
        self._lease.write()

    def _delete(self) -> None:
        assert self._lease is not None
        self._told(lambda one: self.plan.provider.delete(one.cluster), self._lease)

    def _remove(self) -> None:
        assert self._lease is not None
        self._told(lambda one: self.remove(replace(one, installed=None)), replace(self._lease, installed=None))

    def _told(self, act: Callable[[Lease], None], one: Lease) -> None:
        start = self.clock()
        act(one)
        seconds = self.clock() - start
        if self.cluster is not None or seconds >= NOTABLE:  # what never came to be is not worth a line
            self.say(f"removed {words(one)} {seconds:.1f} s")

    def _let_go(self, *, failed: bool) -> None:
        if self._lease is not None and self._kept(failed):
            self.say(f"kept {words(self._lease)}: {self._farewell()}")
            self.leave()
        try:
            self._steps.undo()
        finally:
            for reason in self._steps.left:  # the run has its results: whatever goes wrong here must not cost them
                self.say(f"not all could be removed: {reason}; later: pytest-ambient cleanup")

    def _kept(self, failed: bool) -> bool:
        if self.cluster is None:
            return False
        return self.plan.keep == "always" or (self.plan.keep == "on-failure" and failed)

    def _what(self) -> str:
        name = f"cluster {self.plan.provider_name}"
        return f"the mesh in {name}" if self.cluster is not None else name

    def _farewell(self) -> str:
        assert self._lease is not None
        cluster = self._lease.cluster
        if cluster.owned:
            look = f"kubectl --kubeconfig {cluster.kubeconfig} get pods -A"
            return f"{look}; pytest-ambient down --ambient-name={cluster.name}"
        if self._lease.installed:
            return f"pytest-ambient down --ambient-name={self.plan.run}"
        where = f"--kubeconfig {cluster.kubeconfig} --context {cluster.context}"
        return f"kubectl {where} delete namespace -l pytest-ambient/run={self.plan.run}"

    def _evidence(self) -> str:
        """Keep what is known of a bring-up that failed; where it is, for the end of the message."""
        folder = self.plan.evidence
        if folder is None or self._lease is None:
            return ""
        one, provider = self._lease.cluster, self.plan.provider
        complaint = evidence.collect(
            folder, lambda: provider.save_logs(one, folder), self.cluster if self.cluster is not None else None
        )
        if complaint:
            self.say(f"not all evidence could be saved in {folder}: {complaint}")
        if not folder.is_dir() or any(folder.iterdir()):
            return f"\n  evidence in {folder}" if folder.is_dir() else ""
        folder.rmdir()  # nobody had anything to say
        return ""

    def _save_logs(self) -> None:
        if self.plan.logs is None or self._lease is None:
            return
        try:
            self.plan.logs.mkdir(parents=True, exist_ok=True)
            one, folder = self._lease.cluster, self.plan.logs
            evidence.swept(folder, lambda: self.plan.provider.save_logs(one, folder))
        except (OSError, AmbientError) as error:
            self.say(f"logs of the cluster cannot be saved in {self.plan.logs}: {error}")
