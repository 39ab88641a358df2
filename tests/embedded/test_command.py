"""The embedded cluster's own command."""

import pytest

from pytest_ambient.embedded.__main__ import parsed
from pytest_ambient.embedded.faults import DESCRIPTIONS, Fault


def test_the_embedded_cluster_lists_its_faults(capsys: pytest.CaptureFixture[str]) -> None:
    """Each by its name with what it breaks, where the line about an unknown one leads."""
    with pytest.raises(SystemExit):
        parsed(["--help"])
    listed = capsys.readouterr().out.partition("faults:")[2].strip().splitlines()
    assert [tuple(line.split(maxsplit=1)) for line in listed] == [(f.value, DESCRIPTIONS[f]) for f in Fault]
