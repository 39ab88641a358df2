"""The cluster, a release folder and a server of these tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_ambient.mesh import bundle as published
from tests.fileserver import FileServer, file_server
from tests.mesh.gateway_api.bundled import Api, bundle


@pytest.fixture
def api(tmp_path: Path) -> Api:
    """A cluster without the Gateway API."""
    return Api(tmp_path)


@pytest.fixture
def local(tmp_path: Path) -> Path:
    """A release folder into which somebody has put the standard bundle."""
    folder = tmp_path / "release"
    folder.mkdir()
    (folder / "standard-install.yaml").write_text(bundle())
    return folder


@pytest.fixture
def downloads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FileServer]:
    """The Gateway API's releases, on this machine."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with file_server() as served:
        monkeypatch.setattr(published, "RELEASES", served.url)
        monkeypatch.setattr(published, "_table", dict)  # ours are no published CRDs
        yield served
