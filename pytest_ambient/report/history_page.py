"""A history as one page that needs nothing else: since when which rule is red, and how runs went over time."""

from collections.abc import Callable, Iterator, Sequence
from html import escape

from pytest_ambient.report.history import Group, Run, about, rules

SHAPES = {
    "success": ("ok", 5),
    "partial": ("part", 7),
    "failure": ("red", 11),
    "untested": ("none", 3),
    None: ("none", 3),
}
"""A run's bar: its class and its height, so that nobody has to tell red from green."""
SHOWN = 30
"""So many runs of a group stand in a strip; the older ones are in the plots."""
WIDE, HIGH, LEFT, BELOW = 640, 120, 56, 22
"""Of a plot, in its own units: the whole, and the room for its scales."""

STYLE = """
:root { color-scheme: light dark; --ink: #1c1e21; --paper: #fff; --line: #c9ced6; --ok: #2e7d32; --part: #b58900;
  --red: #c62828; --none: #b0b6bf; --plot: #1565c0; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --paper: #15181c; --line: #3a414b; --ok: #66bb6a;
  --part: #e0b341; --red: #ff6b6b; --none: #59616d; --plot: #64b5f6; } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 1.5rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; } th, td { padding: .3rem .7rem; text-align: left;
  border-bottom: 1px solid var(--line); vertical-align: top; white-space: nowrap; } thead th { font-weight: 600; }
tbody th { position: sticky; left: 0; background: var(--paper); } .since { color: var(--red); font-weight: 600; }
thead th { white-space: normal; }
.key svg { display: inline-block; } svg { display: block; max-width: 100%; }
rect.ok { fill: var(--ok); } rect.part { fill: var(--part); }
rect.red { fill: var(--red); } rect.none { fill: none; stroke: var(--none); } .axis { stroke: var(--line); }
.curve { fill: none; stroke: var(--plot); stroke-width: 2; } .curve.red { stroke: var(--red); }
circle { fill: var(--plot); } circle.red { fill: var(--red); } text { fill: var(--ink); font-size: 11px; }
figure { margin: 1rem 0; } figcaption { font-size: .9rem; } .key span { margin-right: 1.2rem; }
@media print { body { margin: 0; } .wide { overflow: visible; } }
"""


def page(found: Sequence[Group]) -> str:
    """The page."""
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>History of ambient conformance</title>\n<style>{STYLE}</style>\n</head>\n<body>",
            f"<h1>History of ambient conformance</h1>\n<p>{_words(found)}</p>",
            *_reds(found),
            *_table(found),
            "<h2>Over time</h2>",
            *(figure for group in found for figure in _figures(group)),
            "</body>\n</html>\n",
        ]
    )


def _words(found: Sequence[Group]) -> str:
    days = sorted(run.day for group in found for run in group.runs)
    if not days:
        return "There are no reports."
    red = any(group.since(rule) for group in found for rule in rules(found))
    return (
        f"{len(days)} runs from {days[0]} to {days[-1]}. {'Red by now:' if red else 'No rule was red in its last run.'}"
    )


def _reds(found: Sequence[Group]) -> Iterator[str]:
    """Since when each rule is red, and where: what is looked for first."""
    lines = [
        f'<li><b class="since">{escape(rule)}</b> since {red.day}, run {escape(red.id)} with Istio {escape(red.istio)} '
        f"({escape(group.name)}): {escape('; '.join(group.runs[-1].reds.get(rule, red.reds.get(rule, ()))))}"
        f"<br/>{escape(about(found, rule))}</li>"
        for rule in rules(found)
        for group in found
        if (red := group.since(rule)) is not None
    ]
    if lines:
        yield f"<ul>{''.join(lines)}</ul>"


def _table(found: Sequence[Group]) -> Iterator[str]:
    yield (
        '<p class="key">Each bar is a run, the last on the right: '
        f"{' '.join(f'<span>{_strip([result])} {word}</span>' for result, word in KEY)}</p>"
    )
    heads = "".join(f'<th scope="col">{escape(group.name)}</th>' for group in found)
    yield f'<div class="wide"><table>\n<thead><tr><th scope="col">Rule</th>{heads}</tr></thead>\n<tbody>'
    for rule in rules(found):
        cells = "".join(f"<td>{_cell(group, rule)}</td>" for group in found)
        yield f'<tr><th scope="row" title="{escape(about(found, rule))}">{escape(rule)}</th>{cells}</tr>'
    yield "</tbody></table></div>"


KEY = (
    ("success", "every case held"),
    ("partial", "some were skipped, or options weaken it"),
    ("failure", "red"),
    ("untested", "did not run"),
)


def _cell(group: Group, rule: str) -> str:
    runs, red = group.runs[-SHOWN:], group.since(rule)
    strip = _strip([run.rules.get(rule) for run in runs], [_tip(run, rule) for run in runs])
    return strip + (f'<span class="since">red since {escape(red.day)}</span>' if red else "")


def _tip(run: Run, rule: str) -> str:
    result = run.rules.get(rule, "did not run")
    return "\n".join([f"{run.date}, Istio {run.istio}, run {run.id}: {result}", *run.reds.get(rule, ())])


def _strip(results: Sequence[str | None], tips: Sequence[str] = ()) -> str:
    """Bars in a row."""
    bars = "".join(
        f'<rect class="{SHAPES[result][0]}" x="{12 * at + 1}" y="{12 - SHAPES[result][1]}" width="10" '
        f'height="{SHAPES[result][1]}">' + (f"<title>{escape(tips[at])}</title>" if tips else "") + "</rect>"
        for at, result in enumerate(results)
    )
    width = 12 * len(results)
    return f'<svg width="{width}" height="12" viewBox="0 0 {width} 12" >{bars}</svg> '


def _figures(group: Group) -> Iterator[str]:
    """How many rules were red, and how soon effects were stable, run by run."""
    plots: tuple[tuple[str, str, Callable[[Run], float | None]], ...] = (
        ("red rules", "red", lambda run: float(run.failed)),
        ("median time to a stable effect, ms", "", lambda run: run.effect),
    )
    for what, kind, of in plots:
        points = [(at, value, run) for at, run in enumerate(group.runs) if (value := of(run)) is not None]
        if points:
            caption = f"<figcaption>{escape(group.name)}: {what}</figcaption>"
            yield f"<figure>{caption}\n{_plot(points, len(group.runs), kind, f'{group.name}: {what}')}</figure>"


def _plot(points: Sequence[tuple[int, float, Run]], runs: int, kind: str, label: str) -> str:
    top = max([1.0, *(value for _, value, _ in points)])
    step = (WIDE - LEFT - 12) / max(1, runs - 1)
    bottom = HIGH - BELOW
    at = [(LEFT + step * place, bottom - (bottom - 10) * value / top, value, run) for place, value, run in points]
    curve = " ".join(f"{x:.1f},{y:.1f}" for x, y, _, _ in at)
    dots = "".join(
        f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="3.5"><title>{escape(run.date)}, Istio '
        f"{escape(run.istio)}, run {escape(run.id)}: {value:,.0f}</title></circle>"
        for x, y, value, run in at
    )
    first, last = points[0][2].day, points[-1][2].day
    return (
        f'<svg viewBox="0 0 {WIDE} {HIGH}" width="{WIDE}" role="img" aria-label="{escape(label)}">'
        f'<line class="axis" x1="{LEFT}" y1="{bottom}" x2="{WIDE}" y2="{bottom}"/>'
        f'<line class="axis" x1="{LEFT}" y1="4" x2="{LEFT}" y2="{bottom}"/>'
        f'<text x="{LEFT - 6}" y="14" text-anchor="end">{top:,.0f}</text>'
        f'<text x="{LEFT - 6}" y="{bottom}" text-anchor="end">0</text>'
        f'<text x="{LEFT}" y="{HIGH - 6}">{first}</text>'
        f'<text x="{WIDE}" y="{HIGH - 6}" text-anchor="end">{last}</text>'
        f'<polyline class="curve {kind}" points="{curve}"/>{dots}</svg>'
    )
