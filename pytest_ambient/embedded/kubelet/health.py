"""A running container's health, as its probes tell it, and what is said of an image that can't be run at all."""

import asyncio
from collections.abc import Awaitable, Callable

from .. import images
from . import probes
from .state import ContainerState

Event = Callable[[str, str, str], None]
"""Records an event: `Normal` or `Warning`, reason, message."""


class Health:
    """Follows the probes of one run of a container and keeps its state up to date."""

    def __init__(
        self,
        subject: probes.Subject,
        state: ContainerState,
        changed: Callable[[], None],
        event: Event,
        restart: Callable[[str], Awaitable[None]],
    ) -> None:
        self._subject = subject
        self._state = state
        self._changed = changed
        self._event = event
        self._restart = restart

    async def follow(self) -> None:
        """Probe for as long as the program runs: start-up first, then readiness and liveness side by side."""
        spec = self._subject.spec
        if "startupProbe" in spec:
            await self._begin()
        async with asyncio.TaskGroup() as group:
            if "readinessProbe" in spec:
                group.create_task(probes.watch(self._subject, spec["readinessProbe"], self._readiness, quick=True))
            if "livenessProbe" in spec:
                group.create_task(probes.watch(self._subject, spec["livenessProbe"], self._liveness, quick=False))

    async def _begin(self) -> None:
        begun = asyncio.Event()

        async def tell(why: str | None) -> None:
            await self._fail("Startup", why) if why is not None else begun.set()

        first = asyncio.create_task(probes.watch(self._subject, self._subject.spec["startupProbe"], tell, quick=True))
        try:
            await begun.wait()
        finally:
            first.cancel()
        self._state.started = True
        self._state.ready = "readinessProbe" not in self._subject.spec
        self._changed()

    async def _readiness(self, why: str | None) -> None:
        if why is not None:
            self._event("Warning", "Unhealthy", f"Readiness probe failed: {why}")
        self._state.ready = why is None
        self._changed()

    async def _liveness(self, why: str | None) -> None:
        if why is not None:
            await self._fail("Liveness", why)

    async def _fail(self, probe: str, why: str) -> None:
        self._event("Warning", "Unhealthy", f"{probe} probe failed: {why}")
        await self._restart(probe.lower())


def refuse(state: ContainerState, error: Exception, event: Event) -> None:
    """No such image: say so, and leave it at that, as the table of images does not change."""
    image = state.image
    if isinstance(error, images.BadImageName):
        state.wait("InvalidImageName", f'Failed to apply default image tag "{image}": {error}')
        event("Warning", "InspectFailed", str(error))
        return
    event("Normal", "Pulling", f'Pulling image "{image}"')
    event("Warning", "Failed", str(error))
    event("Warning", "Failed", "Error: ErrImagePull")
    event("Normal", "BackOff", f'Back-off pulling image "{image}"')
    event("Warning", "Failed", "Error: ImagePullBackOff")
    state.wait("ImagePullBackOff", f'Back-off pulling image "{image}": ErrImagePull: {error}')
