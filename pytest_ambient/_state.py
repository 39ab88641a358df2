"""Where a pytest process keeps its run: made when first asked for, so that projects without one pay nothing."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_ambient._session import Run

RUN: pytest.StashKey["Run"] = pytest.StashKey()


def run_of(config: pytest.Config) -> "Run":
    """The run of this process; UsageError, one line, when what is asked for is wrong."""
    if RUN not in config.stash:
        from pytest_ambient._beginning import begin

        config.stash[RUN] = begin(config)
    return config.stash[RUN]


def begun(config: pytest.Config) -> "Run | None":
    """The run, where there is one."""
    return config.stash.get(RUN, None)
