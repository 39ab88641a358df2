"""All that is known here of pytest-xdist: who is who, what workers are told, how tests are dealt out."""

import json
import shutil
import tempfile
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

import pytest

Object: TypeAlias = dict[str, Any]
T = TypeVar("T")

if TYPE_CHECKING:
    from typing import Protocol

    from xdist.scheduler import LoadScopeScheduling

    class Node(Protocol):
        """The controller's view of one worker."""

        config: pytest.Config
        """The controller's own."""
        workerinput: Object
        """What the worker will find as `config.workerinput`; simple values only."""


Role = Literal["alone", "controller", "worker"]

ORDERED: pytest.StashKey[bool] = pytest.StashKey()
"""In the controller that deals by file: whether workers put the longest files first."""


def role(config: pytest.Config) -> Role:
    """What this process is; asked in `pytest_configure` already, when xdist's own session may not be there yet."""
    if hasattr(config, "workerinput"):
        return "worker"
    option = config.option
    dealt = getattr(option, "dist", "no") != "no" and getattr(option, "tx", None) and not option.collectonly
    return "controller" if dealt else "alone"


def worker_id(config: pytest.Config) -> str:
    """The worker's name (`gw0`), empty without xdist."""
    return str(getattr(config, "workerinput", {}).get("workerid", ""))


def deal_by_file(config: pytest.Config) -> None:
    """Make `-n` mean loadfile where no `--dist` was given: the rows of a module share their rounds.

    xdist would begin with the files that have the most tests; ours take their time by other things, workers know which.
    """
    option = config.option
    if getattr(option, "numprocesses", None) and getattr(option, "dist", None) == "no":
        option.dist = "loadfile"
        config.stash[ORDERED] = bool(getattr(option, "loadscopereorder", False))
        option.loadscopereorder = False


class Meeting:
    """A folder of this machine in which workers say that they need a cluster, and read what has come of it.

    xdist brings words to a worker only as it starts, which is before anybody knows what there is to run.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or Path(tempfile.mkdtemp(prefix="ambient-meeting-"))
        self._asked, self._answer = self.folder / "asked", self.folder / "answer.json"

    def ask(self) -> None:
        """Say, as a worker, that a test will need what the controller has."""
        self._asked.touch()

    @property
    def asked(self) -> bool:
        """Whether any worker has asked so far."""
        return self._asked.exists()

    def answer(self, word: Object) -> None:
        """Tell all workers, those too that start later."""
        half = self._answer.with_suffix(".half")
        half.write_text(json.dumps(word))
        half.replace(self._answer)

    def heard(self) -> Object | None:
        """What the controller has answered; None where it was not asked."""
        if not self._answer.exists():
            return None
        word: Object = json.loads(self._answer.read_text())
        return word

    def end(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


def tell(node: "Node", word: Object, lanes: int) -> None:
    """Give a worker something to know, beside whether it orders its tests and how many lanes share its files."""
    dealt = {"ordered": node.config.stash.get(ORDERED, False), "lanes": lanes if ORDERED in node.config.stash else 1}
    node.workerinput["ambient"] = json.dumps({**word, **dealt})


def told(config: pytest.Config) -> Object:
    """What the controller gave this worker to know."""
    word: Object = json.loads(getattr(config, "workerinput", {}).get("ambient", "{}"))
    return word


def invited(config: pytest.Config) -> Object | None:
    """What the controller said of its run; None where nobody has asked for one, so that it has none."""
    word = told(config)
    return word if "run" in word else None


def mine(config: pytest.Config, files: list[Path], current: Path) -> list[Path]:
    """Of the files that were collected those that this process comes to, `current` among them, as far as is known."""
    if role(config) != "worker":
        return files
    workers = int(getattr(config, "workerinput", {}).get("workercount", 1))
    return next(group for group in groups(files, told(config).get("lanes", 1), workers) if current in group)


def scheduler(config: pytest.Config, lanes: int) -> "LoadScopeScheduling | None":
    """What deals a worker as many files at a time as its lanes can share; None where xdist's own will do."""
    if ORDERED not in config.stash or lanes < 2:
        return None
    from xdist.scheduler import LoadScopeScheduling

    class LoadGroups(LoadScopeScheduling):  # type: ignore[misc]  # mypy knows nothing of xdist, which may be missing
        """Deals out files in groups."""

        def _split_scope(self, nodeid: str) -> str:
            return self._scopes[nodeid.partition("::")[0]]

        @cached_property
        def _scopes(self) -> dict[str, str]:
            files = list(dict.fromkeys(one.partition("::")[0] for one in self.collection or ()))
            return {file: group[0] for group in groups(files, lanes, self.numnodes) for file in group}

    return LoadGroups(config)


def groups(files: list[T], lanes: int, workers: int) -> list[list[T]]:
    """The files in their order, in groups that are dealt to one worker each; controller and workers agree on them.

    They get smaller, so that workers end together. One file is a group where it is not shared by lanes.
    """
    groups = []
    while files:
        size = max(1, len(files) // (2 * workers)) if lanes > 1 else 1
        groups.append(files[:size])
        files = files[size:]
    return groups


def ordered(config: pytest.Config) -> bool:
    """Whether this is a worker that puts the longest files first; all workers must come to the same order."""
    return bool(told(config).get("ordered"))
