"""Every exception that a user of pytest-ambient can meet.

    AmbientError
    ├── Misuse                  the user's mistake: an option, a case, a manifest
    │   └── ManifestError       a manifest that cannot be read; opens with file and line
    ├── BrokenEnvironment       the cluster or this machine does not do what a run needs
    │   ├── BringUpFailed       a step of the bring-up failed; its text is what every worker repeats
    │   ├── ProviderError       a cluster cannot be made, found or removed
    │   ├── InstallerError      a mesh cannot be installed or removed
    │   ├── FetchFailed         something could not be downloaded, or was not what it should be
    │   ├── CommandFailed       a program could not be started or ended in failure
    │   ├── NotInTime           what was waited for did not come; carries the last answer
    │   ├── LockError           a lock file cannot be used
    │   ├── ReportError         a report or an artefact cannot be written
    │   └── KubeError           the Kubernetes API refused or failed
    │       ├── ServerGone      nobody answers at the API server's address
    │       ├── Forbidden       401 or 403
    │       ├── NotFound        404
    │       ├── Conflict        409
    │       ├── Invalid         400, 415 or 422: the API server does not take the object
    │       └── ExecFailed      an exec could not be started at all
    ├── Inconclusive            a probe proved nothing; never a verdict
    └── BrokenPromise           the mesh did not do what ambient mode promises (also an AssertionError)

All texts are complete on their own, so reports show them without a traceback.
"""

from collections.abc import Mapping
from types import MappingProxyType


class AmbientError(Exception):
    """The root: catch it to catch whatever this package raises on purpose."""

    scene: Mapping[str, str] = MappingProxyType({})
    """Texts by file name that show the cluster as it was then; empty where nobody looked."""


class Misuse(AmbientError, ValueError):
    """The user's mistake, told in one line."""


class ManifestError(Misuse):
    """A manifest cannot be used; the text opens with `file:line:`."""


class BrokenEnvironment(AmbientError):
    """The cluster, or the machine under the tests, is not fit for the run: an error, never a verdict."""


class BringUpFailed(BrokenEnvironment):
    """The cluster of this run did not come up; raised by `ambient_cluster` in every test that asks for it."""


class ProviderError(BrokenEnvironment):
    """A provider cannot make, find or remove its cluster."""


class InstallerError(BrokenEnvironment):
    """An installer cannot put its mesh in, find it or take it out."""


class FetchFailed(BrokenEnvironment):
    """A download did not come, or was not what its checksum says; the text has the URL and what to do offline."""


class CommandFailed(BrokenEnvironment):
    """A program could not be started or ended in failure; the text has the command, ready to paste, and its output."""


class NotInTime(BrokenEnvironment):
    """What was waited for did not come within its deadline; the text ends with the last answer."""


class LockError(BrokenEnvironment):
    """A lock file cannot be made or taken."""


class ReportError(BrokenEnvironment):
    """A report or an artefact cannot be written; the run goes on without it."""


class KubeError(BrokenEnvironment):
    """The Kubernetes API refused a request or failed to answer it."""


class ServerGone(KubeError):
    """Nobody answers at the API server's address."""


class Forbidden(KubeError):
    """The API server does not let this user do that (401, 403)."""


class NotFound(KubeError):
    """The object or its kind does not exist (404)."""


class Conflict(KubeError):
    """Somebody else owns or changed the object (409)."""


class Invalid(KubeError):
    """The API server does not take the object as it is (400, 415, 422)."""


class ExecFailed(KubeError):
    """A command could not be started in a container."""


class Inconclusive(AmbientError):
    """A probe proved nothing while time lasted: there is no verdict, the test errors."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason if reason.startswith("Inconclusive") else f"Inconclusive: {reason}")


class BrokenPromise(AmbientError, AssertionError):
    """The mesh did not do what the case expects; the text says who called whom, what was wanted and what came."""
