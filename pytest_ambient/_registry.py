"""Things found by name: those of this package, those that others add by entry point, and those of one process."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import entry_points
from typing import Generic, TypeVar

from pytest_ambient.errors import AmbientError, Misuse

T = TypeVar("T")


@dataclass(frozen=True)
class Registry(Generic[T]):
    """One sort of things, each made anew when it is asked for; nothing is loaded before."""

    what: str
    """In a word: `provider`."""
    asked: str
    """What a user calls it who asks for it by name: `cluster`."""
    group: str
    """The entry points of others."""
    built_in: Mapping[str, str]
    """`MODULE:ATTRIBUTE` by name."""
    verbs: Sequence[str]
    """What each must be able to do."""
    error: type[AmbientError]
    """What is raised for one that cannot be loaded."""
    more: Sequence[str] = ()
    """Words beside the names that a user may say."""
    _registered: dict[str, Callable[[], T]] = field(default_factory=dict, repr=False)

    def register(self, name: str, make: Callable[[], T]) -> None:
        """Make one known by name in this process, in place of one of the same name."""
        self._registered[name] = make

    def forget(self, name: str) -> None:
        """Take back a `register`."""
        self._registered.pop(name, None)

    def known(self) -> tuple[str, ...]:
        """The names that `find` takes, sorted."""
        others = (entry.name for entry in entry_points(group=self.group))
        return tuple(sorted({*self.built_in, *self._registered, *others}))

    def find(self, name: str) -> T:
        """The one of that name; Misuse lists the known ones, `error` says why one cannot be loaded."""
        if name in self._registered:
            return self._registered[name]()
        if name in self.built_in:
            module, _, attribute = self.built_in[name].partition(":")
            return self._made(name, getattr(import_module(module), attribute))
        for entry in entry_points(group=self.group, name=name):
            try:
                return self._made(name, entry.load())
            except self.error:
                raise
            except Exception as error:  # a foreign package may fail in any way while it loads
                raise self.error(f"{self.what} {name!r} ({entry.value}) cannot be loaded: {error}") from error
        raise Misuse(f"unknown {self.asked} {name!r}, known are {', '.join((*self.known(), *self.more))}")

    def _made(self, name: str, make: Callable[[], T]) -> T:
        one = make()
        missing = [verb for verb in self.verbs if not hasattr(one, verb)]
        if missing:
            raise self.error(f"{self.what} {name!r} lacks {', '.join(missing)}")
        return one
