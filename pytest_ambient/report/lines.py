"""The lines of a run as they come: those of an earlier run keep their place until the report of this one is whole."""

import json
from pathlib import Path
from typing import IO, Any, TypeAlias

Object: TypeAlias = dict[str, Any]

RESULTS, ASIDE = "results.jsonl", "results.new.jsonl"
ARTIFACTS = "artifacts"


class Lines:
    """Writes into `results.jsonl` of a folder, or beside it where there is one; OSError is the caller's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file: IO[str] | None = None
        self._path: Path | None = None

    @property
    def path(self) -> Path:
        """Where lines go."""
        return self._path or self.folder / RESULTS

    @property
    def fresh(self) -> bool:
        """Whether nothing was written yet."""
        return self._path is None

    def write(self, text: str) -> None:
        """Add lines; a run that is killed leaves what it knew."""
        if self._file is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            there = (self.folder / RESULTS).is_file()
            self._path = self.folder / (ASIDE if there else RESULTS)
            self._file = self._path.open("w", encoding="utf-8")
        self._file.write(text)
        self._file.flush()

    def settle(self) -> None:
        """Let the lines take their place; what an earlier run kept of its failures goes with its lines."""
        if self._path is None or self._path.name == RESULTS:
            return
        gone = kept(self.folder / RESULTS) - kept(self._path)
        self._path = self._path.replace(self.folder / RESULTS)
        for name in gone:
            (self.folder / name).unlink(missing_ok=True)
        folders = {parent for name in gone for parent in Path(name).parents if parent.name}
        for folder in sorted(folders, key=lambda one: -len(one.parts)):
            if (self.folder / folder).is_dir() and not any((self.folder / folder).iterdir()):
                (self.folder / folder).rmdir()

    def close(self) -> None:
        """End the file, as far as it can be ended."""
        file, self._file = self._file, None
        if file is not None:
            file.close()


def kept(results: Path) -> set[str]:
    """The artefacts that the lines of a run name, below its folder; of a damaged line none."""
    found: set[str] = set()
    for line in results.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            told = json.loads(line)
        except ValueError:
            continue
        names = told.get("kept") if isinstance(told, dict) else None
        found |= {name for name in names if ours(name)} if isinstance(names, list) else set()
    return found


def ours(name: object) -> bool:
    """Whether a name is that of an artefact below the report's folder."""
    return isinstance(name, str) and name.startswith(f"{ARTIFACTS}/") and ".." not in Path(name).parts
