"""The whole chain in a user's own project, against doubles for everything below the probes."""

import pytest

from tests.plugin.chain import OWN, POLICY, QUICK
from tests.plugin.conftest import Project


def test_a_users_own_rule_in_ten_lines(own: Project) -> None:
    """Control, becoming, witness, twin, staying and undo, all from a table and a manifest."""
    own.add("""
@pytest.fixture(autouse=True, scope="session")
def attached(bench):
    bench.attach(f"{PLACES.namespace}/only-curl")
""")
    result = own.run(*QUICK)
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["ambient: mesh * s", "test_own      2 *"])


def test_a_broken_promise_is_the_whole_story(own: Project) -> None:
    """Who called whom, wanted, got, applied, repeat; no frame of anybody's code."""
    (own.pytester.path / "test_own.yaml").write_text(POLICY.replace("only-curl", "other-name"))
    result = own.run(*QUICK)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*test_only_curl[[]details-is-reset[]]*",
            "details-v1 (shop/details-v1-x) -> GET http://reviews:9080/reviews/0",
            "  wanted   denied at L4*",
            "  got      HTTP 200 *",
            "  applied  */test_own.yaml: AuthorizationPolicy shop/other-name",
            "  repeat   kubectl * -n shop exec * -- curl -sS http://reviews:9080/reviews/0",
        ]
    )
    result.stdout.no_fnmatch_line("*verdict.holds*")


def test_a_manifest_with_a_mistake_names_file_and_line(own: Project) -> None:
    """Every row of it errors with the same line."""
    (own.pytester.path / "test_own.yaml").write_text(POLICY + "  - to: [\n")
    result = own.run(*QUICK)
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["*/test_own.yaml:1*: *"])


def test_a_manifest_that_is_not_there_is_said(own: Project) -> None:
    """Its name has a slip, and the red says that nothing was applied because nothing is there."""
    (own.pytester.path / "test_own.yaml").rename(own.pytester.path / "test_owm.yaml")
    result = own.run(*QUICK)
    result.stdout.fnmatch_lines(["  applied  nothing: no manifest lies beside the module"])


def test_a_verdict_without_a_table_is_a_mistake(own: Project) -> None:
    """One line, no traceback."""
    own.pytester.makepyfile(test_own="def test_own(verdict): verdict.holds()")
    result = own.run(*QUICK)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["verdict judges a row of a table: put @cases(case(...), ...) above the test"])
    result.stdout.no_fnmatch_line("*Traceback*")


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("istio-version=1.29.0", "--ambient-istio-version: wanted Istio 1.29.0, found istiod 1.30.3*"),
        (
            "upgrade-to=1.31.0",
            "--ambient-upgrade-to: 1.31.0 is no patch of Istio 1.30: name another patch *",
        ),
    ],
)
def test_another_version_than_the_one_that_must_be_found_is_no_mesh_to_judge(
    own: Project, option: str, words: str
) -> None:
    """A green of another version would be somebody else's; so would one of a mesh that cannot go where it is sent."""
    own.add("""
from pytest_ambient import _probing

@pytest.fixture(scope="session")
def ambient_places(ambient_mesh, ambient_settings):
    _probing.agreed(ambient_mesh, ambient_settings)
    return PLACES
""")
    result = own.run(*QUICK, f"--ambient-{option}")
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines([words])


def test_an_unknown_workload_lists_those_there_are(own: Project) -> None:
    """The user's mistake, in one line."""
    own.pytester.makepyfile(test_own=OWN.replace('"details-v1", REVIEWS', '"detials-v1", REVIEWS'))
    result = own.run(*QUICK)
    result.stdout.fnmatch_lines(
        ["unknown workload 'detials-v1' in namespace shop, there are curl, details-v1, reviews-v1"]
    )


def test_a_source_pod_calls_and_a_manifest_can_be_applied_by_hand(own: Project) -> None:
    """The pieces of a rule, for a test that is none; what was applied is taken back."""
    own.pytester.makepyfile(
        test_own="""
        def test_pieces(source_pod, ambient_apply, bench):
            assert "details-v1" in source_pod("details-v1").get("http://reviews:9080/").body
            ambient_apply("test_own.yaml")
            assert bench.there("security.istio.io/v1/AuthorizationPolicy", "only-curl")
            assert source_pod("details-v1").get("http://reviews:9080/").exit_code == 56
            assert source_pod("curl").post("http://reviews:9080/", body="x").status == 200

        def test_later(source_pod, bench):
            assert not bench.there("security.istio.io/v1/AuthorizationPolicy", "only-curl")
            assert source_pod("other/curl").get("http://reviews:9080/").status == 200

        def test_wrong(source_pod):
            source_pod("nobody")
        """
    )
    result = own.run(*QUICK)
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["unknown workload 'nobody' in namespace shop, there are curl, details-v1, reviews-v1"])


def test_a_lost_exec_is_inconclusive(own: Project) -> None:
    """Neither an answer nor a denial."""
    own.pytester.makepyfile(
        test_own="""
        def test_lost(source_pod, bench):
            caller = source_pod("details-v1")
            bench.lost = 1
            caller.get("http://reviews:9080/")
        """
    )
    result = own.run(*QUICK)
    result.stdout.fnmatch_lines(
        ["Inconclusive: details-v1 -> GET http://reviews:9080/: *", "rule * inconclusive *", "test_own *- *1 *"]
    )


def test_a_broken_environment_in_a_tests_body_is_no_broken_promise(own: Project) -> None:
    """pytest calls it a failure, the table an error."""
    own.pytester.makepyfile(
        test_own="""
        from pytest_ambient.errors import NotInTime
        def test_late(bookinfo):
            raise NotInTime("Bookinfo: not within 1 s")
        """
    )
    own.run(*QUICK).stdout.fnmatch_lines(["Bookinfo: not within 1 s", "rule * holds  error *"])


def test_without_a_mesh_everything_errors_with_what_is_missing(own: Project) -> None:
    """A broken environment is no broken promise."""
    own.add("""
@pytest.fixture(scope="session")
def ambient_kube(bench, ambient_cluster):
    return bench.real
""")
    result = own.run(*QUICK)
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["there is no working ambient mesh: no istiod: no Deployment with label app=istiod; *"])


@pytest.mark.parametrize(("flags", "ran"), [((), 1), (("--ambient-disruptive",), 2)])
def test_a_row_that_skips_is_not_judged_with_the_others(own: Project, flags: tuple[str, ...], ran: int) -> None:
    """What would change the mesh for all must not be applied on behalf of its neighbours."""
    own.pytester.makepyfile(
        test_own="""
        import pytest
        from pytest_ambient import _gate

        @pytest.mark.ambient(disruptive=True)
        @pytest.mark.parametrize("verdict", [], indirect=True)
        def test_none(verdict): pass

        from pytest_ambient import GET, Answered, case, cases
        CALL = GET("http://reviews:9080/")

        @cases(case("one-a", "curl", CALL, Answered(200), unchanged=True))
        def test_a(verdict, request):
            assert len(_gate.selected(request)) == EXPECTED

        @pytest.mark.ambient(disruptive=True)
        @cases(case("one-b", "curl", CALL, Answered(200), unchanged=True))
        def test_b(verdict): pass
        """.replace("EXPECTED", str(ran))
    )
    result = own.run(*QUICK, *flags)
    assert result.parseoutcomes()["passed"] == ran
