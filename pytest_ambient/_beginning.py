"""How a pytest process begins its run: what it was asked for, settled and checked, and the way it speaks."""

import os
from collections.abc import Callable
from contextlib import nullcontext, suppress

import pytest

from pytest_ambient import _xdist
from pytest_ambient._session import Run
from pytest_ambient.errors import AmbientError
from pytest_ambient.options import TABLE
from pytest_ambient.settings import settle


def begin(config: pytest.Config) -> Run:
    """Settle and check what this process is asked for; UsageError, one line, when it is wrong."""
    role = _xdist.role(config)
    folder = config.inipath.parent if config.inipath else config.rootpath
    ini = {option.ini: config.getini(option.ini) for option in TABLE}
    try:
        run = Run(settle(vars(config.option), os.environ, ini, folder), role, _teller(config))
        run.narrowed = narrowed(config)
        if role != "worker":
            run.check()
        elif word := _xdist.invited(config):
            run.attend(word)
    except AmbientError as error:
        raise pytest.UsageError(str(error)) from None
    return run


def narrowed(config: pytest.Config) -> tuple[str, ...]:
    """What was said to pytest that leaves tests out, or runs them until they pass."""
    option = config.option
    said = [f"-k {option.keyword!r}"] if getattr(option, "keyword", "") else []
    said += [f"-m {option.markexpr!r}"] if getattr(option, "markexpr", "") else []
    said += [f"--deselect {one}" for one in getattr(option, "deselect", None) or ()]
    said += [f"--ignore {one}" for one in getattr(option, "ignore", None) or ()]
    said += ["--last-failed"] if getattr(option, "lf", False) else []
    said += [f"--reruns {option.reruns}"] if getattr(option, "reruns", None) else []
    return (*said, *(f"only {one}" for one in config.args if "::" in one))


def _teller(config: pytest.Config) -> Callable[[str], None]:
    """Says a line on the terminal of the process that has one, whatever is captured at that moment."""

    def say(line: str) -> None:
        from pytest_ambient.redact import redacted

        terminal = config.pluginmanager.get_plugin("terminalreporter")
        if terminal is None:
            return
        capture = config.pluginmanager.get_plugin("capturemanager")
        # a terminal that has gone must not keep the run from undoing what it did
        with suppress(OSError), capture.global_and_fixture_disabled() if capture else nullcontext():
            terminal.ensure_newline()
            # ... which knows nothing of a line that progress has begun under xdist
            if config.get_terminal_writer().width_of_current_line:
                terminal.line("")
            terminal.write_line(f"ambient: {redacted(line)}")

    return say
