"""All that is known here of pytest-xdist: who is who, what workers are told, how tests are dealt out."""

import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import pytest

Object: TypeAlias = dict[str, Any]

if TYPE_CHECKING:
    from typing import Protocol

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


def tell(node: "Node", word: Object) -> None:
    """Give a worker something to know, beside whether it is to order its tests."""
    node.workerinput["ambient"] = json.dumps({**word, "ordered": node.config.stash.get(ORDERED, False)})


def told(config: pytest.Config) -> Object:
    """What the controller gave this worker to know."""
    word: Object = json.loads(getattr(config, "workerinput", {}).get("ambient", "{}"))
    return word


def invited(config: pytest.Config) -> Object | None:
    """What the controller said of its run; None where nobody has asked for one, so that it has none."""
    word = told(config)
    return word if "run" in word else None


def ordered(config: pytest.Config) -> bool:
    """Whether this is a worker that puts the longest files first; all workers must come to the same order."""
    return bool(told(config).get("ordered"))
