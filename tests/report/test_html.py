"""The page: everything in it, nothing around it; and in a real browser the filter, keys, widths and both schemes."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pytest_ambient.report import html, markdown
from pytest_ambient.report.document import document
from tests.report import browser
from tests.report.runs import RED, SHARE, WHOLE, Object, beside, feature, head, row

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
VOID = {"meta", "input", "br", "circle", "line"}


def made(*rows: Object, **more: object) -> Object:
    """A document with a row of every word."""
    skipped = row("R4", "left-out", "skipped", reason="the mesh has no Kiali", lacks=["Kiali"])
    differs = row("R2", "as-documented", "differs", level="documented")
    split = row("R4", "split", "broken", split=[SHARE, {**SHARE, "backend": "reviews-v2"}], stable_ms=2400.0)
    told = [*WHOLE, RED, skipped, differs, split, *rows]
    return document(head(**more), told, beside(feature("Waypoint"), feature("Kiali", present=False)))


class Balanced(HTMLParser):
    """Reads a page; every tag must be closed in its order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.opened: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)
        assert self.opened == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note it."""
        self.tags.append((tag, dict(attrs)))
        self.opened += [] if tag in VOID else [tag]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note one that closes itself."""
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """It is the last that was opened."""
        assert self.opened.pop() == tag

    def handle_data(self, data: str) -> None:
        """Keep it."""
        self.text += data


def test_a_section_says_who_called_what_was_wanted_and_how_to_see_it() -> None:
    """Of a case that does not hold everything, the manifest included."""
    text = Balanced(html.page(made())).text
    for part in ("called", "wanted", "got", "applied", "witness", "repeat", "manifest"):
        key = "evidence" if part == "witness" else part
        value = RED[key][0] if isinstance(RED[key], list) else RED[key]
        assert str(value) in text, part
    assert "30.1 s" in text
    assert "denied at L7" in text


def test_the_page_needs_nothing_else() -> None:
    """No asset, no request: only links to its own parts, and to whom it is about."""
    maker = {"organization": "O", "project": "P", "url": "https://mesh.example", "version": "1", "contact": ["a@b"]}
    page = Balanced(html.page(made(implementation=maker)))
    assert not {tag for tag, _ in page.tags} & {"img", "link", "iframe", "object", "embed", "base", "form"}
    assert not [
        said for _, said in page.tags if "src" in said or "style" in said or any(k.startswith("on") for k in said)
    ]
    links = [str(said["href"]) for tag, said in page.tags if tag == "a"]
    assert {link for link in links if not link.startswith("#")} == {"https://mesh.example"}
    ids = [str(said["id"]) for _, said in page.tags if "id" in said]
    assert len(ids) == len(set(ids))
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)


def test_no_text_of_a_mesh_becomes_markup() -> None:
    """Neither in the page nor in Markdown."""
    facts = dict.fromkeys(("called", "wanted", "got", "repeat", "manifest"), EVIL)
    evil = row(EVIL, EVIL, "broken", reason=EVIL, applied=[EVIL], evidence=[EVIL], profile=EVIL, **facts)
    clean, page = html.page(made()), html.page(made(evil))
    assert page.count("<script") == clean.count("<script") == 1
    assert "<img" not in page
    Balanced(page)
    outside = re.sub(r"```text.*?```", "", markdown.whole(made(evil)), flags=re.DOTALL)
    assert "<script" not in outside


def test_plots_have_every_time_and_every_share() -> None:
    """A dot for each."""
    page = html.page(made())
    assert page.count('<circle class="dot"') == 2 + 2
    assert page.count('<line class="wanted"') == 2
    assert "R4 split: reviews-v1: 62.0% of 2,728, 59.0% to 65.0%, wanted 90.0%, p = 1e-13" in page


def test_a_green_run_says_so() -> None:
    """At the top."""
    assert "Everything that was asked holds" in html.page(document(head(), WHOLE, beside()))


def test_markdown_tells_the_same() -> None:
    """Result, profiles, rules, splits, features, and the whole failure."""
    lines = markdown.whole(made()).splitlines()
    assert lines[0] == "# Ambient conformance: ❌ failure"
    assert "| AMBIENT-L7 | failure (2 passed, 2 failed, 1 unsupported) | untested |" in lines
    assert "| R4 split | reviews-v1 | 90 % | 62.0 % | 59.0-65.0 % | 2,728 | 1e-13 |" in lines
    assert "| Waypoint | verified | 1 of 1 |  |" in lines
    start = lines.index("### R3 delete-is-denied: broken")
    assert lines[start + 2 : start + 10] == [
        "```text",
        "curl (b/curl-1) -> DELETE http://productpage:9080/",
        "  wanted   denied at L7",
        "  got      HTTP 405 <from> the application",
        "  said     a line of a log & more",
        "  applied  l7/test_method.yaml: AuthorizationPolicy b/get-only",
        "  repeat   kubectl exec deploy/curl -- curl -X DELETE",
        "```",
    ]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[browser.Page]:
    """A browser's page, where the machine has a browser."""
    if browser.found() is None:
        pytest.skip(f"none of {', '.join(browser.NAMES)} is on the PATH")
    with browser.browsing(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The page as a file."""
    path = tmp_path / "report.html"
    path.write_text(html.page(made(row("R3", "a-very-long-name-" * 12, "broken", got="x" * 300))))
    return path


SHOWN = "[...document.querySelectorAll('details.case')].filter((one) => one.offsetParent).length"
WIDTHS = "[document.documentElement.scrollWidth, innerWidth]"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_a_browser_shows_it(page: browser.Page, file: Path, width: int, dark: bool) -> None:
    """At a phone's and at a desk's width nothing sticks out, in light and in dark, and the console is silent."""
    page.open(file, width, dark=dark)
    assert page.evaluate("document.querySelector('h1').innerText") == "Ambient conformance failure"
    wide, inner = page.evaluate(WIDTHS)
    assert (wide <= width, inner) == (True, width)
    ink, paper = page.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
    )
    assert (_bright(ink) > _bright(paper)) is dark
    assert page.complaints == []


def test_the_filter_leaves_what_is_asked_for(page: browser.Page, file: Path) -> None:
    """By state, by text, by keys; and says how many are left."""
    page.open(file, 1280)
    every = page.evaluate(SHOWN)
    assert page.evaluate("document.querySelector('#shown').textContent") == f"{every} cases"
    page.evaluate("document.querySelector('[data-word=broken]').click()")
    assert page.evaluate(SHOWN) == 3
    page.press("/")
    assert page.evaluate("document.activeElement.id") == "text"
    for key in "R3 http":
        page.press(key)
    assert page.evaluate(SHOWN) == 1
    assert page.evaluate("[...document.querySelectorAll('tr[data-rule]')].filter((one) => !one.hidden).length") == 1
    assert page.evaluate("document.querySelector('#shown').textContent") == f"1 of {every} cases"
    page.press("Escape")
    page.evaluate("document.querySelector('[data-word=broken]').click()")
    assert page.evaluate(SHOWN) == every
    assert page.complaints == []


def test_a_link_opens_its_case(page: browser.Page, file: Path) -> None:
    """One that is closed, too; and everything is open on paper."""
    page.open(file, 1280)
    closed = "[...document.querySelectorAll('details.case:not([open])')]"
    page.evaluate(f"location.hash = {closed}[0].id")
    page.evaluate("dispatchEvent(new HashChangeEvent('hashchange'))")
    assert page.evaluate("document.querySelector('details:target').open") is True
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate(f"{closed}.length") == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(f"{closed}.length") > 0


def _bright(colour: str) -> int:
    return sum(map(int, re.findall(r"\d+", colour)[:3]))
