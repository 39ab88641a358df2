"""What fixtures hand to a test: a verdict, a pod that calls, a way to apply a manifest."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, final

import pytest

from pytest_ambient.errors import BrokenPromise

if TYPE_CHECKING:
    from pytest_ambient.verdict.call import Call
    from pytest_ambient.verdict.outcome import Outcome


@final
class Verdict:
    """What came of a case; it was decided before the test's body runs."""

    def __init__(self, text: str | None, *, differs: str | None = None) -> None:
        self._text, self._differs = text, differs

    @property
    def broken(self) -> str | None:
        """The whole text of the failure; None when the case holds."""
        return self._text

    def holds(self) -> None:
        """Return when the case holds; raise BrokenPromise with the whole story when it does not.

        A case of level `documented` is an expected failure then, with `differs` as its line, unless
        `--ambient-strict-docs` is given.
        """
        if self._text is None:
            return
        if self._differs is not None:
            pytest.xfail(self._differs)
        raise BrokenPromise(self._text)


@final
class Caller:
    """One pod that calls: its network namespace, its service account, its enrolment."""

    def __init__(self, word: str, ask: "Callable[[str, Call], Outcome]") -> None:
        self.word = word
        self._ask = ask

    def send(self, call: "Call") -> "Outcome":
        """What curl in the pod saw for the call, with `count` for its last request; Inconclusive when it was lost."""
        return self._ask(self.word, call)

    def get(self, url: str, *, headers: Mapping[str, str] | None = None) -> "Outcome":
        """What curl in the pod saw for a GET of `url`."""
        from pytest_ambient.verdict.call import GET

        return self.send(GET(url, headers=headers))

    def post(self, url: str, *, headers: Mapping[str, str] | None = None, body: str | None = None) -> "Outcome":
        """What curl in the pod saw for a POST to `url`."""
        from pytest_ambient.verdict.call import POST

        return self.send(POST(url, headers=headers, body=body))


@final
class SourcePod:
    """Finds a pod that calls, by workload: `details-v1`, `other/curl` (enrolled too), `outside/curl` (not meshed)."""

    def __init__(self, ask: "Callable[[str, Call], Outcome]", find: Callable[[str], object]) -> None:
        self._ask, self._find = ask, find

    def __call__(self, workload: str) -> Caller:
        """The workload's pod; Misuse lists the workloads there are when it is none of them."""
        self._find(workload)
        return Caller(workload, self._ask)


@final
class Apply:
    """Applies manifests that lie beside the test, and takes them back when it ends."""

    def __init__(self, folder: Path, apply: Callable[[Path], None]) -> None:
        self._folder, self._apply = folder, apply

    def __call__(self, manifest: str | Path) -> None:
        """Apply a file, `${NAMESPACE}` and its like filled in, and return when its workloads are ready.

        A relative path counts from the test's folder. ManifestError opens with file and line.
        """
        self._apply(self._folder / manifest)
