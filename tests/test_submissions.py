"""`reports/`: every submission is in its place, verifies and may be published, and the table is made of them."""

from pathlib import Path
from typing import Any

import pytest

from pytest_ambient.cli import main
from pytest_ambient.report import gathered
from tests import submissions
from tests.report.pairs import report, saved

SUBMITTED = gathered.below(submissions.FOLDER)
WHO = {
    "organization": "Example Org", "project": "Mesh_One", "url": "https://example.com", "version": "v1.2.0",
    "contact": ["@example"],
}  # fmt: skip


def submission(**changes: Any) -> dict[str, Any]:
    """A report that may be listed, but for what is changed in it."""
    counts = {"result": "success", "passed": 3, "failed": 0, "skipped": 1, "unsupported": 0, "unverified": 0}
    none = {**counts, "passed": 0, "skipped": 0, "result": "untested"}
    profile = {"name": "AMBIENT-L4", "core": counts, "extended": none, "missing": []}
    return {**report({"R1": {"a": "holds"}}), "implementation": WHO, "profiles": [profile], **changes}


def test_submissions_are_as_they_must_be() -> None:
    """Each in its place, publishable, and every count of it recomputed."""
    assert {folder: why for folder in SUBMITTED if (why := submissions.objections(folder))} == {}
    assert [folder for folder in SUBMITTED if main(["report", "verify", str(folder)])] == []


def test_the_table_is_made_of_the_submissions() -> None:
    """`python -m tests.submissions` would change nothing."""
    text = (submissions.FOLDER / "README.md").read_text(encoding="utf-8")
    assert submissions.page(text, submissions.table()) == text


def test_a_table_without_submissions_says_so(tmp_path: Path) -> None:
    """No line is invented."""
    assert submissions.table(tmp_path) == "No report has been submitted yet.\n"


def test_a_submission_is_a_line(tmp_path: Path) -> None:
    """With what it is, on what it ran, and what passed."""
    folder = saved(tmp_path / "example-org-mesh-one" / "v1.2.0" / "kind", submission())
    assert submissions.objections(folder, tmp_path) == []
    assert submissions.table(tmp_path).splitlines()[2] == (
        "| [Example Org Mesh\\_One](https://example.com) | v1.2.0 | 1.30.3 | 1.34.3 | ztunnel | success "
        "| 3/4 | - | - | - | 2026-11-20 | [report](example-org-mesh-one/v1.2.0/kind/report.yaml) |"
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"implementation": None}, "it does not say who made the mesh: --ambient-implementation"),
        (
            {"publishable": False, "unpublishable": ["the embedded mesh is a test bench"]},
            "it is not publishable: the embedded mesh is a test bench",
        ),
        ({"result": "failure"}, "its result is failure"),
        ({"state": "interrupted"}, "its run is interrupted"),
        (
            {"implementation": {**WHO, "version": "main"}},
            "it lies in example-org-mesh-one/v1.2.0/kind, wanted example-org-mesh-one/main/NAME",
        ),
    ],
)
def test_what_cannot_be_listed_is_told(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    """With the reason."""
    folder = saved(tmp_path / "example-org-mesh-one" / "v1.2.0" / "kind", submission(**changes))
    assert submissions.objections(folder, tmp_path) == [said]
