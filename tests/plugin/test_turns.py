"""Who holds the mesh, alone or together with others."""

from tests.plugin.chain import QUICK
from tests.plugin.conftest import Project


def test_tests_of_the_mesh_take_turns_and_others_share(own: Project) -> None:
    """scope=mesh holds the mesh alone, everything else together; the lock is the cluster's."""
    own.pytester.makepyfile(
        test_own="""
        import pytest
        from pytest_ambient import _lock
        taken = []
        for name in ("shared", "alone"):
            def spy(path, how=name, real=getattr(_lock, name)):
                taken.append((how, path))
                return real(path)
            setattr(_lock, name, spy)

        def test_share(ambient_apply): pass
        @pytest.mark.ambient(scope="mesh")
        def test_alone(ambient_apply): pass
        def test_seen():
            assert [how for how, _ in taken] == ["shared", "alone"]
            assert len({path for _, path in taken}) == 1
        """
    )
    own.run(*QUICK).assert_outcomes(passed=3)


KNOWN = """
import pytest
from pytest_ambient import GET, Answered, case, cases

@pytest.fixture(scope="module")
def ambient_rule():
    from pytest_ambient.probe.result import CaseResult
    from pytest_ambient.verdict.expectation import Word

    class Rule:
        known = False
        def knows(self, case):
            return self.known
        def result(self, case):
            self.known = True
            return CaseResult(case, Word.HOLDS)
    return Rule()

from pytest_ambient import _lock
taken = []
for name in ("shared", "alone"):
    def spy(path, how=name, real=getattr(_lock, name)):
        taken.append(how)
        return real(path)
    setattr(_lock, name, spy)

CALL = GET("http://reviews:9080/")

@cases(*(case(name, "curl", CALL, Answered(200), unchanged=True, scope="mesh") for name in ("a", "b", "c")))
def test_rows(verdict): verdict.holds()

def test_seen(): assert taken == ["alone", "shared", "shared"]
"""


def test_only_the_row_that_changes_the_mesh_holds_it_alone(own: Project) -> None:
    """Those that were judged with it wait for nobody to be done."""
    own.pytester.makepyfile(test_own=KNOWN)
    own.run(*QUICK).assert_outcomes(passed=4)
