"""When the scene of a state is looked at: once, of what does not hold or of all, while its manifests are in effect."""

import time
from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

from pytest_ambient._kube import Kube
from pytest_ambient.errors import AmbientError, Misuse
from pytest_ambient.manifest import Document
from pytest_ambient.places import Places
from pytest_ambient.probe.artefacts import PODS, gather, pods
from pytest_ambient.probe.logs import Logs

When: TypeAlias = Literal["off", "on-failure", "always"]
"""When what the cluster was like is gathered."""


class Scene:
    """What the cluster was like in one state of a rule after the other."""

    def __init__(self, kube: Kube, logs: Logs, places: Places, when: When) -> None:
        self.texts: Mapping[str, str] = {}
        """By file name, of the state that is being judged; empty when nothing was looked at."""
        self._kube, self._logs, self._places, self._when = kube, logs, places, when
        self._since = 0.0

    def begin(self) -> None:
        """A state begins: logs are kept from here on."""
        self._since, self.texts = time.time(), {}

    def keeps(self, *, red: bool) -> bool:
        """Whether what was applied, and where, is told of a case."""
        return self._when == "always" or red

    def look(self, documents: Sequence[Document], *, red: bool) -> None:
        """Gather it, if that is asked for and was not done yet."""
        if self._when != "off" and self.keeps(red=red) and not self.texts:
            self.texts = gather(self._kube, self._logs, self._places, documents, self._since)

    def explain(self, error: AmbientError, documents: Sequence[Document]) -> None:
        """Give an error the scene in which it came: the same one to whoever meets it again, none to a mistake.

        Of a cluster that no longer answers nothing more is asked.
        """
        if self._when == "off" or isinstance(error, Misuse) or error.scene:
            return
        seen = pods(self._kube, self._places)
        answers = not seen.startswith("not to be had")
        error.scene = gather(self._kube, self._logs, self._places, documents, self._since) if answers else {PODS: seen}
