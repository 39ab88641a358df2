"""The closing table: rules by verdict, convergence times, shares of splits, reasons of skips."""

from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any, TypeAlias

from pytest_ambient.report.junit import Json
from pytest_ambient.report.results import Row, Word

Object: TypeAlias = dict[str, Any]

COLUMNS: tuple[Word, ...] = ("holds", "differs", "broken", "inconclusive", "error", "unsupported", "skipped")


def lines(rows: Sequence[Row], document: Object | None = None) -> list[str]:
    """The table as lines of text, and what a report says of it all; none when there are no rows."""
    if not rows:
        return []
    whole = _whole(document) if document else ()
    return [*_table(rows), *_splits(rows), *_streams(rows), *_differences(rows), *_skips(rows), *whole]


def _whole(document: Object) -> Iterator[str]:
    """A line for each profile that has rows, and the result."""
    for one in document["profiles"]:
        told = [f"{level} {counted(one[level])}" for level in ("core", "extended") if ran(one[level])]
        if told:
            yield f"{one['name']}: {'; '.join(told)}"
    yield f"result: {document['result']}{'' if document['publishable'] else ', not to be published'}"


def counted(counts: Object) -> str:
    """A result and the counts behind it."""
    told = ", ".join(f"{number} {name}" for name, number in counts.items() if name != "result" and number)
    return f"{counts['result']} ({told})" if told else str(counts["result"])


def ran(counts: Object) -> bool:
    """Whether there were any rows at all."""
    return any(number for name, number in counts.items() if name != "result")


def _table(rows: Sequence[Row]) -> Iterator[str]:
    shown = [word for word in COLUMNS if word == "holds" or any(row.word == word for row in rows)]
    rules = sorted({row.rule for row in rows}, key=natural)
    body = [_cells(rule, [row for row in rows if row.rule == rule], shown) for rule in rules]
    if len(rules) > 1:
        body.append(_cells("all", rows, shown))
    table = [["rule", *shown, "effect, median / slowest"], *body]
    widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
    for line in table:
        cells = [
            line[0].ljust(widths[0]),
            *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)),
        ]
        yield "  ".join(cells).rstrip()


def _cells(name: str, rows: Sequence[Row], shown: Sequence[Word]) -> list[str]:
    count = Counter(row.word for row in rows)
    times = [float(value) for row in rows if isinstance(value := row.facts.get("stable_ms"), int | float)]
    effect = f"{median(times):,.0f} / {max(times):,.0f} ms" if times else "-"
    return [name, *(str(count[word] or "-") for word in shown), effect]


def _splits(rows: Sequence[Row]) -> Iterator[str]:
    for row in rows:
        shares = row.facts.get("split")
        for share in shares if isinstance(shares, list) else []:
            if isinstance(share, dict):
                yield f"{row.rule} {row.case}: {_share(share)}"


def _share(one: dict[str, Json]) -> str:
    number = {key: float(value) for key, value in one.items() if isinstance(value, int | float)}
    share, low, high, wanted = (100 * number.get(key, 0.0) for key in ("share", "low", "high", "wanted"))
    return (
        f"{one.get('backend')} {share:.1f} % [{low:.1f}, {high:.1f}] of {number.get('total', 0):,.0f}, "
        f"wanted {wanted:g} %, p = {number.get('p', 0.0):.2g}"
    )


def _streams(rows: Sequence[Row]) -> Iterator[str]:
    for row in rows:
        stream = row.facts.get("stream")
        if isinstance(stream, dict):
            yield f"{row.rule} {row.case}: {_stream(stream)}"


def _stream(one: dict[str, Json]) -> str:
    errors, gaps, number = one.get("errors"), one.get("gaps"), one.get
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(errors.items())) if isinstance(errors, dict) else ""
    text = f"{number('requests')} requests at {number('rate')}/s, {number('good')} as wanted"
    text += f", failed: {kinds}" if kinds else ""
    text += f", wrong: {number('wrong')}" if number("wrong") else ""
    text += f", lost: {number('lost')}" if number("lost") else ""
    lengths = [gap.get("ms") for gap in gaps if isinstance(gap, dict)] if isinstance(gaps, list) else []
    return f"{text}; without service {', '.join(f'{ms} ms' for ms in lengths)}" if lengths else text


def _differences(rows: Sequence[Row]) -> Iterator[str]:
    for row in rows:
        if row.word == "differs":
            first = row.reason.partition("\n")[0]
            yield f"{row.rule} {row.case} differs from the documents: {first}"


def _skips(rows: Sequence[Row]) -> Iterator[str]:
    for word in ("unsupported", "skipped"):
        for reason, number in Counter(row.reason for row in rows if row.word == word).most_common():
            yield f"{number} {word}: {reason}"


def natural(rule: str) -> tuple[str, int, str]:
    """R2 before R10."""
    letters = rule.rstrip("0123456789")
    digits = rule[len(letters) :]
    return letters, int(digits) if digits else 0, rule
