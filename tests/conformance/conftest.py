"""What the tests of faults tell at the end."""

import pytest

from .suite import SECOND


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Which faults were run a second time, and why: evidence that often comes late is worth a look."""
    reports = [report for key in ("passed", "failed") for report in terminalreporter.stats.get(key, [])]
    for report in reports:
        for name, value in report.user_properties:
            if name == SECOND:
                terminalreporter.write_line(f"{SECOND}: {value}")
