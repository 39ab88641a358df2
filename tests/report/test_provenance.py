"""Where a report says that its suite comes from."""

import json
import re
import subprocess
from pathlib import Path

from pytest_ambient.report import provenance, schema
from tests.conformance import page


def test_the_fault_table_s_digest_is_that_of_the_page() -> None:
    """`python -m tests.conformance.page` writes both."""
    assert json.loads(provenance.FAULTS.read_text()) == page.told(), "run: python -m tests.conformance.page"


def test_the_suite_says_all_that_the_schema_wants() -> None:
    """Its rules by profile, its version, its digest."""
    told = provenance.suite()
    shape = schema.schema()["properties"]["suite"]
    assert list(schema._errors(told, shape, "suite")) == []
    assert {"R2", "L1"} <= set(told["expected"]["AMBIENT-L4"])
    assert "R7" in told["expected"][""]
    assert told["files"]["R5"] == ["l7/test_allow_principal.py"]
    assert {"l7/test_deny_host.py", "l7/test_deny_path.py"} < set(told["files"]["Z1"])
    assert told["digest"]


def test_the_digest_is_of_names_and_contents(tmp_path: Path) -> None:
    """A test that was renamed or changed is another suite."""
    (tmp_path / "test_a.py").write_text("a")
    first = provenance.digest(tmp_path)
    (tmp_path / "notes.txt").write_text("nothing to do with it")
    assert provenance.digest(tmp_path) == first
    (tmp_path / "test_a.py").rename(tmp_path / "test_b.py")
    second = provenance.digest(tmp_path)
    (tmp_path / "test_b.py").write_text("b")
    assert len({first, second, provenance.digest(tmp_path)}) == 3


def test_the_commit_is_that_of_the_checkout(tmp_path: Path) -> None:
    """Of a branch, packed or not, of a worktree and of a detached head; empty elsewhere."""

    def git(*words: str, folder: Path = tmp_path / "a") -> str:
        name = ("-c", "user.name=a", "-c", "user.email=a@b")
        done = subprocess.run(["git", "-C", folder, *name, *words], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    (tmp_path / "a").mkdir()
    git("init", "-q")
    git("commit", "-q", "--allow-empty", "-m", "one")
    head = git("rev-parse", "HEAD")
    assert re.fullmatch("[0-9a-f]{40}", head)
    assert provenance._checked_out(tmp_path / "a" / ".git") == head
    git("pack-refs", "--all")
    assert provenance._checked_out(tmp_path / "a" / ".git") == head
    git("worktree", "add", "-q", "-b", "other", str(tmp_path / "b"))
    assert provenance._checked_out(tmp_path / "b" / ".git") == head
    git("checkout", "-q", "--detach")
    assert provenance._checked_out(tmp_path / "a" / ".git") == head
    assert provenance._checked_out(tmp_path / ".git") == ""
