"""The JSONPath of printed columns: fields, indices, `[*]` and `[?(@.type=="x")]`."""

import re
from functools import cache
from typing import Any

_STEP = re.compile(
    r"""\.(?P<field>(?:\\.|[^.\[\\])+) | \[(?P<index>-?\d+|\*)\] | \[['"](?P<quoted>[^'"]+)['"]\]
        | \[\?\(\s*@\.(?P<key>[\w.]+)\s*(?P<word>==|!=)\s*['"]?(?P<value>[^'")]*)['"]?\s*\)\]""",
    re.VERBOSE,
)


def found(path: str, item: Any) -> list[Any]:
    """The values at a path, none when there is nothing."""
    values = [item]
    for step in _steps(path):
        values = [below for value in values for below in _follow(step, value)]
    return values


@cache
def _steps(path: str) -> tuple[re.Match[str], ...]:
    text = path.strip().removeprefix("{").removesuffix("}")
    return tuple(_STEP.finditer(text if text.startswith((".", "[")) else f".{text}"))


def _follow(step: re.Match[str], value: Any) -> list[Any]:
    if field := step["field"] or step["quoted"]:
        name = field.replace("\\", "")
        return [value[name]] if isinstance(value, dict) and name in value else []
    if step["index"] == "*":
        return list(value.values()) if isinstance(value, dict) else list(value) if isinstance(value, list) else []
    if step["index"]:
        number = int(step["index"])
        return [value[number]] if isinstance(value, list) and -len(value) <= number < len(value) else []
    held = value if isinstance(value, list) else []
    return [each for each in held if (str(_at(each, step["key"])) == step["value"]) is (step["word"] == "==")]


def _at(item: Any, key: str) -> Any:
    for name in key.split("."):
        item = item.get(name) if isinstance(item, dict) else None
    return item
