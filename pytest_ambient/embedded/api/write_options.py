"""How a client wants a write to be done."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .errors import bad_request
from .route import chosen, flag


@dataclass
class Options:
    """How a write is to be done, and the warnings that it gave rise to."""

    manager: str
    dry_run: bool = False
    validation: str = "Warn"
    force: bool = False
    warnings: list[str] = field(default_factory=list)


def options(query: Mapping[str, str], agent: str) -> Options:
    """The options of a write; `agent` names the writer who gives no fieldManager."""
    dry = query.get("dryRun", "")
    if dry not in ("", "All"):
        raise bad_request(f'dryRun: Unsupported value: "{dry}": supported values: "All"')
    manager = query.get("fieldManager") or agent.partition("/")[0] or "unknown"
    validation = chosen(("Warn", "Strict", "Ignore"), query.get("fieldValidation", ""), "fieldValidation")
    return Options(manager, bool(dry), validation, flag(query, "force"))
