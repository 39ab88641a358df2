"""Judges rules of modules to come beside the one at hand, in lanes: threads with namespaces of their own.

A run goes through its modules from the first one on, lanes through the same from the last one back, until they meet.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ambient import _asking
from pytest_ambient._halt import Halt, under
from pytest_ambient.errors import AmbientError

if TYPE_CHECKING:
    from pytest_ambient._asking import Probes
    from pytest_ambient.probe.rule import RuleRun
    from pytest_ambient.verdict.case import Case

Open = Callable[[int], "AbstractContextManager[Probes]"]


@dataclass(eq=False)
class Job:
    """A module that a lane may judge; what came of it is there once `done` is set."""

    module: Path
    selected: "Sequence[Case]"
    run: "RuleRun | None" = None
    """Holds the results of all selected cases; None where it came to none."""
    error: BaseException | None = None
    """Why there are none, or why what was applied could not be taken back."""
    done: threading.Event = field(default_factory=threading.Event)

    def judge(self, ours: "Probes", halt: Halt) -> None:
        """Come to all results, and put everything back; what is raised meanwhile, the module raises later."""
        try:
            with _asking.rule(ours, self.module, self.selected) as run, under(halt):
                for case in self.selected:
                    halt.check()
                    with _asking.turn(ours.cluster, alone=False), suppress(AmbientError):
                        run.result(case)  # it remembers an error, and raises it again when it is asked
                self.run = run
        except BaseException as error:  # whatever it is belongs to the module's own tests
            self.error = error
        finally:
            self.done.set()


class Lanes:
    """The lanes of a run beside the one of its own; `end` stops them, whatever they are at."""

    def __init__(self, open_lane: Open, number: int, say: Callable[[str], None]) -> None:
        self._open, self._tell, self._halt = open_lane, say, Halt()
        self._said = deque[str]()
        self._threads = [threading.Thread(target=self._work, args=(one + 2,), daemon=True) for one in range(number)]
        self._changed = threading.Condition()
        self._left: list[Job] = []
        self._jobs: dict[Path, Job | None] = {}
        self._ended = False

    def say(self, line: str) -> None:
        """Leave a line to the run's own thread: who speaks beside a test stops the capture of its output."""
        self._said.append(line)

    def begin(self, coming: "Sequence[tuple[Path, Sequence[Case]]]") -> None:
        """Let lanes judge these modules, the last one first."""
        new = [Job(module, selected) for module, selected in coming if module not in self._jobs]
        if not new:
            return
        with self._changed:
            self._jobs |= {job.module: job for job in new}
            self._left += new
            self._changed.notify_all()
        for thread in self._threads[: len(new)]:  # a lane without a module would bring a Bookinfo up for nothing
            if thread.ident is None:
                thread.start()

    def knows(self, module: Path) -> bool:
        """Whether the module was among those that lanes may judge."""
        return module in self._jobs

    def taken(self, module: Path) -> Job | None:
        """The job of a module that a lane has taken, done; None for one that no lane will take any more.

        It is given once: whoever comes back to a module, by a rerun or in an order of chance, judges it anew.
        """
        self._speak()
        with self._changed:
            job = self._jobs.get(module)
            if job is not None:
                self._jobs[module] = None
            if job is None or job in self._left:
                self._left = [other for other in self._left if other is not job]
                return None
        job.done.wait()
        return job

    def end(self) -> None:
        """Stop, and put back what is at hand."""
        with self._changed:
            self._ended, self._left = True, []
            self._changed.notify_all()
        self._halt.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()
        self._speak()

    def _speak(self) -> None:
        while self._said:
            self._tell(self._said.popleft())

    def _work(self, number: int) -> None:
        try:
            with ExitStack() as lane:
                with under(self._halt):
                    ours = lane.enter_context(self._open(number))
                while (job := self._next()) is not None:
                    job.judge(ours, self._halt)
        except (Exception, KeyboardInterrupt) as error:
            if not self._ended:
                told = str(error) if isinstance(error, AmbientError) else repr(error)
                self.say(f"lane {number} did not come up, its modules are judged one after the other: {told}")

    def _next(self) -> Job | None:
        with self._changed:
            self._changed.wait_for(lambda: self._left or self._ended)
            return None if self._ended else self._left.pop()
