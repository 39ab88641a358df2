"""What a rule knows of its cases between two of them, and what its end has to take back."""

from pathlib import Path

import pytest

from pytest_ambient.errors import ManifestError
from pytest_ambient.manifest import Manifests
from tests.probe.rules import MANIFEST, TABLE, bench_of, run_of


def test_a_rule_knows_what_it_was_asked_and_whether_its_set_up_stays(tmp_path: Path) -> None:
    """All cases of a state are known with the first of them; only a set-up is left for the end to take back."""
    (tmp_path / "test_rule.setup.yaml").write_text(MANIFEST.replace("only-curl", "before"))
    (tmp_path / "test_rule.yaml").write_text(MANIFEST)
    bench = bench_of()
    run = run_of(bench, Manifests.beside(tmp_path / "test_rule.py"))
    assert [run.knows(case) for case in TABLE] == [False, False]
    changed = [run.changed]
    run.result(TABLE[0])
    assert [run.knows(case) for case in TABLE] == [True, True]
    changed.append(run.changed)
    run.close()
    assert [*changed, run.changed] == [False, True, False]


def test_a_failure_is_known_too(tmp_path: Path) -> None:
    """No case of that state asks or changes anything any more."""
    (tmp_path / "test_rule.yaml").write_text(MANIFEST.replace("${NAMESPACE}", "elsewhere"))
    run = run_of(bench_of(), Manifests.beside(tmp_path / "test_rule.py"))
    with pytest.raises(ManifestError):
        run.result(TABLE[0])
    assert run.knows(TABLE[1])
    run.close()
