"""The differences that are meant, each with its reason; one that no longer exists is an error."""

import tomllib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from .recording import FOLDER

FILE = FOLDER / "differences.toml"


@dataclass(frozen=True)
class Difference:
    """Something that was seen otherwise than recorded."""

    step: str
    aspect: str
    recorded: str
    seen: str

    def __str__(self) -> str:
        return f"{self.step}: {self.aspect}\n    recorded  {self.recorded}\n    seen      {self.seen}"


@dataclass(frozen=True)
class Meant:
    """A difference that is meant; all fields but the reason are patterns."""

    scenario: Sequence[str]
    step: str
    reason: str
    aspect: str = "*"
    recorded: str = "*"
    seen: str = "*"
    feature: str = ""
    """The absent feature, when that is why."""
    sometimes: bool = False
    """Whether chance decides, so that it need not be met each time."""

    def covers(self, found: Difference) -> bool:
        """Whether this is the difference that is meant."""
        pairs = ((found.step, self.step), (found.aspect, self.aspect), (found.recorded, self.recorded))
        return all(fnmatchcase(text, _pattern(pattern)) for text, pattern in (*pairs, (found.seen, self.seen)))


def _pattern(text: str) -> str:
    """Brackets are meant as they stand: recorded texts are full of them."""
    return text.replace("[", "[[]")


class Ledger:
    """Keeps account of one scenario: what differs though it should not, and what no longer differs."""

    def __init__(self, meant: Sequence[Meant]) -> None:
        self._meant = tuple(meant)
        self._met: Counter[Meant] = Counter()
        self.found: list[Difference] = []
        self.left_out: list[str] = []
        """Steps that were not compared, each with the absent feature."""

    @classmethod
    def of(cls, scenario: str) -> "Ledger":
        """The account of a scenario, `istio-VERSION/NN-name`."""
        return cls([each for each in read() if any(fnmatchcase(scenario, name) for name in each.scenario)])

    def meant(self, difference: Difference) -> Meant | None:
        """The entry that lists it."""
        return next((each for each in self._meant if each.covers(difference)), None)

    def add(self, difference: Difference) -> Meant | None:
        """Note it; what lists it, if anything does."""
        entry = self.meant(difference)
        if entry is None:
            self.found.append(difference)
        else:
            self._met[entry] += 1
        return entry

    def report(self) -> str:
        """All that is wrong; empty when nothing is."""
        stale = [
            f"{FILE.name}: no longer so: {each.step}: {each.aspect}"
            for each in self._meant
            if not (self._met[each] or each.sometimes)
        ]
        return "\n".join([*map(str, self.found), *stale])


def read() -> list[Meant]:
    """Every difference that is meant."""
    entries = tomllib.loads(FILE.read_text())["difference"]
    return [Meant(**{**each, "scenario": tuple(each["scenario"])}) for each in entries]
