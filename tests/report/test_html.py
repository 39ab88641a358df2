"""The page: everything in it, nothing around it; and in a real browser the filter, keys, widths and both schemes."""

import re
from collections.abc import Iterator
from html import unescape
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
    kept = [str(name) for name in RED["kept"]]
    assert {link for link in links if not link.startswith("#")} == {"https://mesh.example", *kept}
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


def lines(page: str) -> list[str]:
    """What the page says to type for its first cause."""
    found = re.search(r'<details class="hand"[^>]*><summary>[^<]*</summary><pre>(.*?)</pre>', page, re.DOTALL)
    assert found
    return unescape(found[1]).splitlines()


def test_the_page_begins_with_what_is_broken_and_how_to_see_it() -> None:
    """The promise in words, who called, what was wanted and got, and what to type: here, or anywhere else."""
    page = html.page(made(settings={"cluster": "kind", "report": "out", "fault": "x y"}))
    begin = Balanced(page.partition('<h2 id="profiles">')[0].partition("<main>")[2]).text
    assert "R3: at a waypoint only GET is answered." in begin
    assert "1 of 2 cases of this promise do not hold." in begin
    assert [key for key in ("case", "called", "wanted", "got") if str(RED[key]) not in begin] == []
    assert lines(page[page.index("R3</a>: at a waypoint") :]) == [
        "# where this run was, if it was kept (--ambient-keep=always): the manifest, which was taken back",
        "kubectl --context c apply --server-side -f artifacts/R3/delete-is-denied.manifest.yaml",
        "# the call; wanted: denied at L7",
        "kubectl --context c exec deploy/curl -- curl -X DELETE",
        "# elsewhere: the case again with all of it kept; its failure ends with such lines for its own pods",
        "pytest 'conformance/test_r3.py::test_it[delete-is-denied]' --ambient-cluster=kind '--ambient-fault=x y' "
        "--ambient-keep=always --ambient-report=again",
    ]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("error", "inconclusive"), "2 of 3 cases of this promise could not be judged."),
        (("broken", "error"), "2 of 3 cases of this promise do not hold or could not be judged."),
        (("broken", "differs"), "2 of 3 cases of this promise do not hold."),
    ],
)
def test_an_error_is_no_verdict(words: tuple[str, str], told: str) -> None:
    """The page says that it could not be judged, and why."""
    rows = [row("R3", word, word, reason="no pod\nat all") for word in words]
    text = Balanced(html.page(document(head(), [*WHOLE, *rows], beside()))).text
    assert told in text
    assert "because" in text
    assert ("1 in error" in text) is ("error" in words)


@pytest.mark.parametrize(
    ("facts", "begin"),
    [
        (
            {"kept": []},
            ["# where", "# (saved", "kubectl --context c apply --server-side -f manifest.yaml", "# the call"],
        ),
        ({"phase": "control"}, ["# where", "# the call", "kubectl --context c exec", "# elsewhere"]),
        ({"repeat": "istioctl --context c x"}, ["# where", "# the call", "istioctl --context c x", "# elsewhere"]),
        ({"repeat": ""}, ["pytest"]),
    ],
    ids=["no artefact", "before the manifest", "another tool", "an error"],
)
def test_what_to_type_is_what_can_be_typed(facts: Object, begin: list[str]) -> None:
    """Nothing is applied that is not at hand, nor before there was a manifest."""
    found = lines(html.page(document(head(), [{**RED, **facts}], beside())))
    assert [line[: len(start)] for line, start in zip(found, begin, strict=False)] == begin


def test_a_rule_s_section_has_its_promises_and_its_manifest_though_all_hold() -> None:
    """What was called, wanted and got, too."""
    manifest = "# test_r3.setup.yaml\nkind: Gateway\n---\n# test_r3.yaml\nkind: AuthorizationPolicy"
    one = row("R3", "get-is-answered", manifest=manifest, about="only GET.", called="curl -> GET", got="HTTP 200")
    text = Balanced(html.page(document(head(), [one], beside()))).text
    for part in ("only GET.", "curl -> GET", "HTTP 200", "Manifest as applied: test_r3.setup.yaml, test_r3.yaml"):
        assert part in text
    assert "1 case of 1 rule: 1 hold" in text


def test_names_that_lead_elsewhere_are_no_links() -> None:
    """An artefact lies below the report's own folder."""
    names = ["artifacts/../../secret", "https://evil.example", "javascript:alert(1)"]
    page = html.page(document(head(), [{**RED, "kept": names}], beside()))
    assert not [said for tag, said in Balanced(page).tags if tag == "a" and not str(said["href"]).startswith("#")]


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
    assert lines[start - 2] == "**R3: at a waypoint only GET is answered.**"
    assert lines[start + 2 : start + 10] == [
        "```text",
        "curl (b/curl-1) -> DELETE http://productpage:9080/",
        "  wanted   denied at L7",
        "  got      HTTP 405 <from> the application",
        "  said     a line of a log & more",
        "  applied  l7/test_method.yaml: AuthorizationPolicy b/get-only",
        "  repeat   kubectl --context c exec deploy/curl -- curl -X DELETE",
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
    drawn = page.evaluate("Math.min(...[...document.querySelectorAll('svg')].map((one) => one.clientWidth))")
    assert drawn >= 640  # smaller ones could not be read; on a phone they scroll in their place
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
