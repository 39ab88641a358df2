"""Rows of a table: what they may be, how a denial finds its twin, how names are filled in."""

from collections.abc import Callable

import pytest

from pytest_ambient.errors import Misuse
from pytest_ambient.table import case, cases
from pytest_ambient.verdict.call import DELETE, GET, POST, STATUS
from pytest_ambient.verdict.case import Case
from pytest_ambient.verdict.expectation import (
    Answered,
    DeniedL4,
    DeniedL7,
    HasCondition,
    LacksCondition,
    Outlives,
    Split,
)
from pytest_ambient.verdict.pairing import differences, pair
from pytest_ambient.verdict.variant import Unsupported

PAGE = "http://productpage:9080/productpage"
REVIEWS = GET("http://reviews:9080/reviews/0")
ANSWERED = case("get-is-answered", "curl", GET(PAGE), Answered(200), unchanged=True)
DENIED = case("delete-is-denied", "curl", DELETE(PAGE), DeniedL7(), before=Answered(405))


def test_a_row_has_the_usual_before() -> None:
    """An answer before a denial, absence before a condition, the same where nothing changes."""
    assert case("a", "curl", REVIEWS, DeniedL4()).before == Answered(200)
    assert case("a", None, STATUS("v1/Service", "x"), HasCondition("A", "True", "B")).before == LacksCondition(
        "A", "True", "B"
    )
    assert case("a", "curl", REVIEWS, Answered(404), unchanged=True).before == Answered(404)
    assert case("a", "curl", REVIEWS, DeniedL4(), before=None).before is None


def test_a_table_speaks_for_rows_that_say_nothing() -> None:
    """Level, scope and variants of the table hold for every row without its own."""
    own = {"istio<1.25": Unsupported("too old")}
    documented = case("b", "curl", REVIEWS, Answered(200), unchanged=True, level="documented", on=own)
    mark = cases(ANSWERED, documented, level="extended", scope="mesh", on={"kmesh": Unsupported("not known")})
    first, second = (param.values[0] for param in mark.args[1])
    assert (first.level, first.scope, str(first.on[0].expected)) == ("extended", "mesh", "unsupported: not known")
    assert (second.level, second.scope, str(second.on[0].expected)) == ("documented", "mesh", "unsupported: too old")


def test_a_row_says_who_does_what() -> None:
    """The title of reports."""
    assert ANSWERED.title == f"curl -> GET {PAGE}"
    assert case("a", None, STATUS("v1/Service", "x", "n"), HasCondition("A")).title == "status of Service n/x"


@pytest.mark.parametrize(
    ("row", "still"),
    [
        (ANSWERED, True),
        (DENIED, True),
        (case("a", "curl", REVIEWS, Answered(404)), False),
        (case("a", "curl", REVIEWS, Answered(200, backend="reviews-v1")), True),
        (case("a", None, STATUS("v1/Service", "x"), HasCondition("A")), False),
        (case("a", "curl", REVIEWS, Split({"a": 1})), False),
    ],
)
def test_a_row_knows_whether_it_must_stay(row: Case, still: bool) -> None:
    """Denials, named backends and what is unchanged are probed again after a hold."""
    assert row.holds_still is still


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (
            lambda: case("Get_Is", "curl", REVIEWS, DeniedL4()),
            "case 'Get_Is': the id must be a sentence in kebab case, like get-is-answered",
        ),
        (
            lambda: case("a", "my pod", REVIEWS, DeniedL4()),
            "case 'a': source must be WORKLOAD, other/WORKLOAD or outside/WORKLOAD, not 'my pod'",
        ),
        (
            lambda: case("a", "curl", REVIEWS, Answered(200)),
            "case 'a': before and after are equal, which proves nothing; say unchanged=True if that is the point",
        ),
        (
            lambda: case("a", "curl", REVIEWS, Answered(404), before=Answered(200), unchanged=True),
            None,
        ),
        (
            lambda: case("a", "curl", REVIEWS, DeniedL4(), state="Two words"),
            "case 'a': state must be in kebab case, not 'Two words'",
        ),
        (
            lambda: case("a", "curl", REVIEWS, DeniedL4(), level="basic"),  # type: ignore[arg-type]  # the mistake
            "case 'a': level must be core, extended or documented, not 'basic'",
        ),
        (
            lambda: case("a", "curl", REVIEWS, DeniedL4(), scope="world"),  # type: ignore[arg-type]  # the mistake
            "case 'a': scope must be namespace or mesh, not 'world'",
        ),
        (lambda: case("a", None, REVIEWS, DeniedL4()), "case 'a': a call needs a source"),
        (
            lambda: case("a", "curl", STATUS("v1/Service", "x"), HasCondition("A")),
            "case 'a': a status has no source",
        ),
        (
            lambda: case("a", "curl", REVIEWS, HasCondition("A")),
            "case 'a': HasCondition(type='A', status='True', reason=None, listener='') says nothing about a call",
        ),
        (
            lambda: case("a", None, STATUS("v1/Service", "x"), HasCondition("A"), before=Answered()),
            "case 'a': Answered(status=200, backend=None, header=None, body=None, lacks=None, through='?', "
            "by_proxy=False, after=None, within=None) says nothing about a status",
        ),
        (
            lambda: case("a", "curl", REVIEWS, DeniedL4(), before=Split({"a": 1})),
            "case 'a': before can't be a Split: the control is one probe",
        ),
        (
            lambda: case("a", "curl", REVIEWS, DeniedL4(), before=Outlives(PAGE, DeniedL4())),
            "case 'a': before can't be an Outlives: the control is one probe",
        ),
        (
            lambda: case("a", "curl", GET(PAGE, count=5), Split({"a": 1})),
            "case 'a': a Split chooses the number of its answers itself; leave out count",
        ),
        (cases, "cases: a table needs at least one case(...)"),
        (lambda: cases(ANSWERED, ANSWERED), "case 'get-is-answered': the id stands twice in its table"),
        (
            lambda: cases(case("a", "curl", REVIEWS, DeniedL4())),
            "case 'a': a denial needs twin=, an answered case that differs in one thing; found none",
        ),
        (
            lambda: cases(
                case("a", "curl", REVIEWS, DeniedL4()),
                case("b", "ratings-v1", REVIEWS, Answered(200), unchanged=True),
                case("c", "productpage-v1", REVIEWS, Answered(200), unchanged=True),
            ),
            "case 'a': a denial needs twin=, an answered case that differs in one thing; found b, c",
        ),
        (
            lambda: cases(ANSWERED, case("a", "curl", DELETE(PAGE), DeniedL7(), twin="nobody")),
            "case 'a': twin 'nobody' is no answered case of the same table and state",
        ),
        (
            lambda: cases(ANSWERED, case("a", "curl", DELETE(PAGE), DeniedL7(), state="x", twin="get-is-answered")),
            "case 'a': twin 'get-is-answered' is no answered case of the same table and state",
        ),
        (
            lambda: cases(DENIED, case("a", "other/curl", DELETE(PAGE), DeniedL7(), twin="delete-is-denied")),
            "case 'delete-is-denied': a denial needs twin=, an answered case that differs in one thing; found none",
        ),
        (
            lambda: cases(ANSWERED, case("a", "ratings-v1", POST(PAGE), DeniedL7(), twin="get-is-answered")),
            "case 'a': twin 'get-is-answered' differs in source and method; it must differ in one thing",
        ),
        (
            lambda: cases(ANSWERED, case("a", "curl", GET(PAGE), DeniedL7(), twin="get-is-answered")),
            "case 'a': twin 'get-is-answered' differs in nothing; it must differ in one thing",
        ),
        (
            lambda: cases(ANSWERED, case("a", "curl", POST(PAGE), Answered(405), unchanged=True, twin="b")),
            "case 'a': only a denial has a twin",
        ),
    ],
)
def test_a_mistake_fails_collection_with_one_line(make: Callable[[], object], text: str | None) -> None:
    """The row's id and what is wrong with it."""
    with pytest.raises(pytest.Collector.CollectError) as caught:
        make()
    if text is None:
        assert "unchanged=True, but before is Answered(status=200" in str(caught.value)
    else:
        assert str(caught.value) == text


def test_a_denial_finds_the_one_case_that_differs_in_one_thing() -> None:
    """Where only one can be meant, it need not be named."""
    answered, denied = pair([ANSWERED, DENIED])
    assert (denied.twin, denied.answered_twin) == ("get-is-answered", answered)


def test_a_twin_may_be_another_workload_called_by_the_same_source() -> None:
    """Where a rule denies everybody, the twin calls what the rule does not select."""
    rows = pair(
        [
            case("post-is-reset", "curl", POST(PAGE), DeniedL4(), before=Answered(405), twin="ratings-answers"),
            case("ratings-answers", "curl", GET("http://ratings:9080/ratings/0"), Answered(200), unchanged=True),
        ]
    )
    assert rows[0].answered_twin == rows[1]


@pytest.mark.parametrize(
    ("one", "other", "different"),
    [
        (GET(PAGE), GET(PAGE), ()),
        (GET(PAGE), DELETE(PAGE), ("method",)),
        (GET(PAGE), GET(f"{PAGE}?u=test"), ("path",)),
        (GET(PAGE), GET("http://productpage:9081/productpage"), ("port",)),
        (GET(PAGE), GET(PAGE, headers={"a": "b"}), ("headers",)),
        (GET(PAGE), GET(PAGE, signed_in="test"), ("person",)),
        (GET(PAGE), GET("http://productpage.${NAMESPACE}:9080/productpage"), ()),
        (GET(PAGE), GET("http://productpage.${NAMESPACE}.svc.cluster.local:9080/productpage"), ()),
        (GET(PAGE), GET("http://productpage.${OTHER_NAMESPACE}:9080/productpage"), ("host",)),
    ],
)
def test_calls_differ_in_what_a_rule_can_name(one: object, other: object, different: tuple[str, ...]) -> None:
    """A longer name of the same Service is no difference: another namespace's caller must write it so."""
    rows = [case("a", "curl", call, DeniedL4()) for call in (one, other)]  # type: ignore[arg-type]  # calls all
    assert differences(rows[0], rows[1]) == different


def test_names_are_filled_in_everywhere() -> None:
    """In URL, header, policy, backend and twin; a case stays a case."""
    names = {"NAMESPACE": "demo", "OTHER_NAMESPACE": "else"}
    rows = pair(
        [
            case("a", "curl", GET("http://reviews.${NAMESPACE}:9080/"), DeniedL4(by="${NAMESPACE}/p"), twin="b"),
            case("b", "other/curl", GET("http://reviews.${NAMESPACE}:9080/"), Answered(200), unchanged=True),
            case("c", None, STATUS("v1/Service", "x", "${OTHER_NAMESPACE}"), HasCondition("A")),
        ]
    )
    denied, answered, status = (row.filled(names) for row in rows)
    assert denied.call == GET("http://reviews.demo:9080/")
    assert denied.expectation == DeniedL4(by="demo/p")
    assert denied.answered_twin == answered
    assert status.call == STATUS("v1/Service", "x", "else")


def test_an_unknown_name_is_told() -> None:
    """One line that names it."""
    row = case("a", "curl", GET("http://reviews.${NAMESPCE}:9080/"), DeniedL4())
    with pytest.raises(Misuse, match=r"^case 'a': no value for \$\{NAMESPCE\}$"):
        row.filled({"NAMESPACE": "demo"})


def test_a_dollar_that_is_no_name_stays() -> None:
    """Only the agreed form is a name."""
    row = case("a", "curl", GET("http://a/$x?b=$$"), Answered(404))
    assert row.filled({}).call == GET("http://a/$x?b=$$")


def test_a_table_becomes_items(pytester: pytest.Pytester) -> None:
    """Each row is an item with its id, and a bad table fails collection with one line and no traceback."""
    pytester.makepyfile(
        test_good="""
        import pytest
        from pytest_ambient.table import case, cases
        from pytest_ambient.verdict.call import GET
        from pytest_ambient.verdict.expectation import Answered

        @pytest.fixture
        def verdict(request):
            return request.param

        @cases(
            case("one-is-answered", "curl", GET("http://a/"), Answered(404)),
            case("two-is-answered", "curl", GET("http://b/"), Answered(404)),
        )
        def test_it(verdict):
            assert verdict.source == "curl"
        """,
        test_bad="""
        from pytest_ambient.table import case
        from pytest_ambient.verdict.call import GET
        from pytest_ambient.verdict.expectation import Answered

        case("a b", "curl", GET("http://a/"), Answered(404))
        """,
    )
    result = pytester.runpytest_inprocess("-v", "-p", "no:ambient", "--continue-on-collection-errors")
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*test_good.py::test_it?one-is-answered? PASSED*"])
    result.stdout.fnmatch_lines(["case 'a b': the id must be a sentence in kebab case, like get-is-answered"])
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*cases.py:*")
