"""Plots as inline SVG: times until an effect on a logarithmic axis, shares of splits with their intervals."""

import math
from collections.abc import Callable, Iterator, Sequence
from html import escape
from typing import Any, TypeAlias

Object: TypeAlias = dict[str, Any]

WIDTH, LEFT, RIGHT = 640, 64, 16
ROW, TOP = 20, 22
NAMES = 250
"""Room for the names of splits, which are longer than rules'."""


def times(rules: Sequence[tuple[str, Sequence[float]]]) -> str:
    """Each rule's times in milliseconds, a row for each."""
    every = [value for _, values in rules for value in values]
    low, high = _decade(min(every), math.floor), _decade(max(every), math.ceil)
    high = max(high, low + 1)

    def x(value: float) -> float:
        return LEFT + (math.log10(max(value, 10.0**low)) - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    def rows() -> Iterator[str]:
        for decade in range(low, high + 1):
            yield _mark(x(10.0**decade), len(rules), f"{10**decade:,} ms" if decade >= 0 else f"{10.0**decade:g} ms")
        for number, (name, values) in enumerate(rules):
            y = TOP + ROW * number + ROW / 2
            yield f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{escape(name)}</text>'
            yield f'<line class="range" x1="{x(min(values)):.1f}" x2="{x(max(values)):.1f}" y1="{y}" y2="{y}"/>'
            yield "".join(f'<circle class="dot" cx="{x(value):.1f}" cy="{y}" r="3"/>' for value in values)

    return _svg(rows(), len(rules), "Milliseconds until the effect, by rule")


def shares(splits: Sequence[Object]) -> str:
    """Each backend's share with its interval and what was wanted, a row for each."""

    def x(share: float) -> float:
        return NAMES + share * (WIDTH - NAMES - RIGHT)

    def rows() -> Iterator[str]:
        for share in (0.0, 0.25, 0.5, 0.75, 1.0):
            yield _mark(x(share), height, f"{share:.0%}")
        last, y = "", TOP - ROW / 2
        for one in splits:
            case, y = f"{one['rule']} {one['case']}", y + ROW
            if case != last:
                yield f'<text x="0" y="{y + 4}">{escape(case)}</text>'
                last, y = case, y + ROW
            yield _share(one, case, y, x)

    height = len(splits) + len({(one["rule"], one["case"]) for one in splits})
    return _svg(rows(), height, "Shares of splits, served and wanted")


def _share(one: Object, case: str, y: float, x: Callable[[float], float]) -> str:
    told = f"{one['share']:.1%} of {one['total']:,}"
    interval = f"{one['low']:.1%} to {one['high']:.1%}, wanted {one['wanted']:.1%}, p = {one['p']:.2g}"
    title = f"{case}: {one['backend']}: {told}, {interval}"
    low, high, served, wanted = (f"{x(one[name]):.1f}" for name in ("low", "high", "share", "wanted"))
    return (
        f"<g><title>{escape(title)}</title>"
        f'<text x="12" y="{y + 4}">{escape(one["backend"])} <tspan class="small">{escape(told)}</tspan></text>'
        f'<line class="range" x1="{low}" x2="{high}" y1="{y}" y2="{y}"/>'
        f'<circle class="dot" cx="{served}" cy="{y}" r="3.5"/>'
        f'<line class="wanted" x1="{wanted}" x2="{wanted}" y1="{y - 8}" y2="{y + 8}"/></g>'
    )


def _decade(value: float, rounded: Any) -> int:
    return int(rounded(math.log10(max(value, 1.0))))


def _mark(x: float, rows: int, label: str) -> str:
    line = f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{TOP + ROW * rows}"/>'
    end = "end" if x > WIDTH - 40 else "middle"
    return f'{line}<text class="small" x="{x:.1f}" y="14" text-anchor="{end}">{label}</text>'


def _svg(rows: Iterator[str], number: int, title: str) -> str:
    height = TOP + ROW * number + 6
    label = escape(title)
    drawn = f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{label}">{"".join(rows)}</svg>'
    return f'<div class="wide" tabindex="0" role="group" aria-label="{label}">{drawn}</div>'
