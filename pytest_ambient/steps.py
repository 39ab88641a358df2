"""Steps of a bring-up: done group by group, each timed, told and tried again; undone in reverse."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TypeAlias

from pytest_ambient._halt import Halt, current, under
from pytest_ambient.errors import AmbientError, BrokenEnvironment

NOTABLE = 0.05
"""Seconds from which on a step is worth a line."""

PULSE = 30.0
"""Seconds between the lines that say of a long step that it goes on."""

INTERRUPTED = "the removal was interrupted"
"""Why a step is not undone whose undoing somebody did not wait for."""

GRACE = 20.0
"""Seconds in which steps that were interrupted must have ended; then what they did is undone all the same."""


@dataclass(frozen=True)
class Step:
    """One thing to do; `do` ends by itself within a time of its own and raises BrokenEnvironment when it fails."""

    name: str
    """Two or three words for the line that tells how long it took: `gateway-api v1.5.1`."""
    do: Callable[[], None]
    undo: Callable[[], None] | None = None
    """Takes back what `do` did, half-done things too, and does nothing when there is nothing to take back."""
    tries: int = 1
    """How often `do` is tried, where the tool beneath is known to fail without a reason."""


Group: TypeAlias = Sequence[Step]
"""Steps that know nothing of each other and so go side by side; groups go one after another."""


class Steps:
    """Does steps and remembers how to undo them; `say` takes one line at a time, from any thread."""

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.seconds: dict[str, float] = {}
        """How long each step took."""
        self.left: list[str] = []
        """Why steps could not be undone, a line each."""
        self._say, self._saying = say, threading.Lock()
        self._undo = ExitStack()

    def say(self, line: str) -> None:
        """Tell a line, no two at once."""
        with self._saying:
            self._say(line)

    def do(self, group: Group) -> None:
        """Do the steps of a group side by side, and return when all are done.

        The first that fails ends the others and is raised; so does an interruption, and no step works on after it.
        """
        for step in group:
            # registered first: what was half done when it failed or was interrupted is undone as well
            if step.undo is not None:
                self._undo.callback(self._undone, step)
        if len(group) == 1:
            self._one(group[0])
        else:
            self._side_by_side(group)

    def also(self, undo: Callable[[], None]) -> None:
        """Call this, too, when all is undone: before what was done earlier, and without a line of its own."""
        self._undo.callback(self._kept_going, undo)

    def undo(self) -> None:
        """Undo all that was done, the last first; what cannot be undone is in `left` and keeps nothing else back."""
        self._undo.close()

    def keep(self) -> None:
        """Leave all that was done as it is."""
        self._undo.pop_all()

    def _side_by_side(self, group: Group) -> None:
        halt, ends = Halt(), SimpleQueue[BaseException | None]()

        def work(step: Step) -> None:
            try:
                with under(halt):
                    self._one(step)
            except BaseException as error:  # raised again in the thread that waits for this one
                ends.put(error)
            else:
                ends.put(None)

        # daemons: one that heeds nothing must not keep the process from ending
        threads = [threading.Thread(target=work, args=(step,), name=step.name, daemon=True) for step in group]
        try:
            for thread in threads:
                thread.start()
            for _ in threads:
                error = ends.get()
                if error is not None:
                    raise error
        finally:
            halt.set()
            self._ended(threads)

    def _ended(self, threads: Sequence[threading.Thread]) -> None:
        deadline = time.monotonic() + GRACE
        for thread in threads:
            if thread.ident is not None:
                thread.join(max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                self.say(f"{thread.name} does not end, what it did is undone all the same")

    def _one(self, step: Step) -> None:
        start = self.clock()
        with self._pulse(step.name):
            self._tried(step)
        self.seconds[step.name] = self.clock() - start
        if self.seconds[step.name] >= NOTABLE:
            self.say(f"{step.name} {self.seconds[step.name]:.1f} s")

    def _tried(self, step: Step) -> None:
        for number in range(2, step.tries + 1):
            try:
                step.do()
            except BrokenEnvironment as error:
                current().check()
                self.say(f"{step.name} failed, trying again ({number} of {step.tries}): {first_line(error)}")
            else:
                return
        step.do()

    @contextmanager
    def _pulse(self, name: str) -> Iterator[None]:
        """Say from time to time that a step goes on."""
        over, start = threading.Event(), time.monotonic()

        def beat() -> None:
            while not over.wait(PULSE):
                self.say(f"{name} goes on, {time.monotonic() - start:.0f} s so far")

        thread = threading.Thread(target=beat, name=f"{name} pulse", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _undone(self, step: Step) -> None:
        start, told = self.clock(), len(self.left)
        assert step.undo is not None
        self._kept_going(step.undo)
        seconds = self.clock() - start
        if step.name in self.seconds and seconds >= NOTABLE and len(self.left) == told:
            self.say(f"removed {step.name} {seconds:.1f} s")

    def _kept_going(self, undo: Callable[[], None]) -> None:
        try:
            undo()
        except Exception as error:  # whatever it was, the other steps are to be undone too
            self.left.append(str(error) if isinstance(error, AmbientError) else repr(error))
        except BaseException:  # who interrupts an undoing must not lose what it has left
            self.left.append(INTERRUPTED)
            raise


def first_line(error: Exception) -> str:
    """What an error says, for a line of its own."""
    return str(error).strip().partition("\n")[0] or repr(error)
