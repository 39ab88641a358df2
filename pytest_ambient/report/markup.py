"""Words, links and tables of the page, in which no text of a document can begin a tag."""

import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape


def text(value: object) -> str:
    """Text of the document, which can begin no tag and end no attribute."""
    return escape(str(value), quote=True)


def anchor(*names: str) -> str:
    """An id for a part of the page."""
    return "-".join(re.sub(r"[^A-Za-z0-9_.-]+", "-", name) for name in names)


def word(name: str, told: str = "") -> str:
    """A word with its colour."""
    return f'<span class="word {name}">{text(told or name)}</span>'


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table that scrolls where it is too wide; cells are markup already, the first of each row is its head."""
    yield '<div class="wide"><table><thead><tr>'
    yield "".join(f'<th scope="col">{text(name)}</th>' for name in head)
    yield "</tr></thead><tbody>"
    for first, *rest in rows:
        yield f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in rest)}</tr>'
    yield "</tbody></table></div>"
