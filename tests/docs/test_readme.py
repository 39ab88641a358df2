"""The README's own test is a test, and its commands and tables are true."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_ambient.options import TABLE

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text()


def block(language: str, number: int = 0) -> str:
    """The README's code block of that language."""
    return str(re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)[number])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A user's project with the README's files and nothing else."""
    (tmp_path / "test_reviews.py").write_text(block("python"))
    (tmp_path / "test_reviews.yaml").write_text(block("yaml"))
    (tmp_path / "test_by_hand.py").write_text(block("python", 1))
    return tmp_path


def test_the_example_runs(project: Path) -> None:
    """A user's first test passes on the embedded cluster, row by row and by hand."""
    command = [sys.executable, "-m", "pytest", "-q", "--ambient-cluster=embedded", "--strict-markers", "-W", "error"]
    environment = {**os.environ, "XDG_STATE_HOME": str(project / "state"), "PYTEST_ADDOPTS": ""}
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout


def test_the_example_has_ten_lines() -> None:
    """A stranger writes about ten lines of Python."""
    lines = [line for line in block("python").splitlines() if line.strip() and not line.startswith(('"""', "from"))]
    assert len(lines) <= 10


def test_every_option_is_in_the_table() -> None:
    """The README lists the options that there are, no more and no less."""
    listed = re.findall(r"^\| `(--ambient-[a-z-]+)` \|", README, re.MULTILINE)
    assert sorted(listed) == sorted(option.flag for option in TABLE)


def test_no_placeholder_is_left() -> None:
    """Nothing in the README waits to be written."""
    assert "TBD" not in README
