"""`python -m tests.submissions`: writes the table of `reports/README.md` from the reports that are there."""

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

from pytest_ambient.report import files, gathered

Object: TypeAlias = dict[str, Any]

FOLDER = Path(__file__).parent.parent / "reports"
BEGIN, END = "<!-- table -->\n", "<!-- end of table -->\n"
NONE = "No report has been submitted yet.\n"
HEAD = (
    "| Implementation | Version | Istio | Kubernetes | Data plane | Result | L4 | L7 | Enrolment | Telemetry | Date | "
    "|\n"
    "|---|---|---|---|---|---|---|---|---|---|---|---|\n"
)


def objections(folder: Path, root: Path = FOLDER) -> list[str]:
    """Why a report cannot be listed; none when it can."""
    document = files.read(folder)
    who, found = document["implementation"], []
    if who is None:
        return ["it does not say who made the mesh: --ambient-implementation"]
    wanted = f"{plain(who['organization'])}-{plain(who['project'])}/{plain(who['version'])}"
    place = folder.relative_to(root).as_posix()
    if place.rpartition("/")[0] != wanted:
        found.append(f"it lies in {place}, wanted {wanted}/NAME")
    if not document["publishable"]:
        found.append(f"it is not publishable: {'; '.join(document['unpublishable'])}")
    if document["result"] not in ("success", "partial"):
        found.append(f"its result is {document['result']}")
    if document["state"] != "complete":
        found.append(f"its run is {document['state']}")
    return found


def plain(text: str) -> str:
    """A name as a part of a path."""
    return re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.")


def table(root: Path = FOLDER) -> str:
    """The table in Markdown, one report a line; a line that says so when there is none."""
    rows = [_row(folder, files.read(folder), root) for folder in gathered.below(root)]
    return HEAD + "".join(rows) if rows else NONE


def _row(folder: Path, document: Object, root: Path) -> str:
    who, environment = document["implementation"] or {}, document["environment"]
    name = f"[{_cell(who.get('organization', ''))} {_cell(who.get('project', ''))}]({who.get('url', '')})"
    place = folder.relative_to(root).as_posix()
    cells = [
        name,
        _cell(who.get("version", "")),
        *(_cell(environment.get(part, "unknown")) for part in ("istio", "kubernetes", "dataplane")),
        document["result"],
        *(_passed(profile) for profile in _profiles(document)),
        document["date"].partition("T")[0],
        f"[report]({place}/{files.REPORT})",
    ]
    return f"| {' | '.join(cells)} |\n"


def _profiles(document: Object) -> Sequence[Object | None]:
    named = {profile["name"]: profile for profile in document["profiles"]}
    return [named.get(f"AMBIENT-{name}") for name in ("L4", "L7", "ENROLMENT", "TELEMETRY")]


def _passed(profile: Object | None) -> str:
    """How many cases passed of those that were judged or skipped, core and extended."""
    if profile is None:
        return "-"
    parts = []
    for level in ("core", "extended"):
        count = profile[level]
        judged = count["passed"] + count["failed"] + count["skipped"]
        parts += [f"{count['passed']}/{judged}"] if judged else []
    return " + ".join(parts) or "-"


def _cell(text: str) -> str:
    return re.sub(r"([|\[\]<>`*_])", r"\\\1", text)


def page(text: str, found: str) -> str:
    """The page with that table in its place."""
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    return f"{before}{BEGIN}{found}{END}{after}"


def main() -> int:
    """1 when a report cannot be listed; then nothing is written."""
    wrong = [f"{folder}: {why}" for folder in gathered.below(FOLDER) for why in objections(folder)]
    if wrong:
        sys.stdout.write("\n".join(wrong) + "\n")
        return 1
    readme = FOLDER / "README.md"
    readme.write_text(page(readme.read_text(encoding="utf-8"), table()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
