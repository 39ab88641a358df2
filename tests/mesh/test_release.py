"""Where istioctl and the rest of a release come from: local folder, PATH, download; always of exactly the version."""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_ambient.errors import FetchFailed, InstallerError, Misuse
from pytest_ambient.mesh import release
from tests.doubles import Doubles, alone
from tests.fileserver import FileServer, file_server
from tests.mesh.landing import release as unpacked
from tests.mesh.landing import spec

VERSION = r"version --remote=false -o json"


def told(version: str) -> str:
    """What istioctl 1.30 says of itself (recorded)."""
    client = {"version": version, "revision": "unknown", "golang_version": "go1.26", "status": "Clean", "tag": version}
    return json.dumps({"clientVersion": client})


def archive(files: dict[str, str]) -> bytes:
    """A tar.gz."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(text), 0o755
            tar.addfile(info, io.BytesIO(text.encode()))
    return made.getvalue()


@pytest.fixture
def doubles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Doubles:
    """Commands of this test's own, alone on PATH; a cache of its own, no proxy."""
    found = alone(tmp_path, monkeypatch)
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr("sys.platform", "linux")
    return found


@pytest.fixture
def downloads(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    """Istio's releases, on this machine."""
    with file_server() as served:
        monkeypatch.setattr(release, "DOWNLOADS", served.url)
        yield served


def publish(served: FileServer, name: str, body: bytes, digest: str = "") -> None:
    """Serve an archive of 1.30.3 with its checksum, one blank before the name as Istio has it."""
    served.files[f"/1.30.3/{name}"] = body
    served.files[f"/1.30.3/{name}.sha256"] = f"{digest or hashlib.sha256(body).hexdigest()} {name}\n".encode()


def test_the_local_release_goes_first(doubles: Doubles, tmp_path: Path) -> None:
    """Its istioctl is used where it is of the wanted version, whatever is on PATH."""
    root = unpacked(tmp_path)
    Doubles(root / "bin").answer("istioctl", VERSION, told("1.30.3"))
    doubles.answer("istioctl", VERSION, told("1.30.3"))
    assert release.istioctl(spec(tmp_path, release=root)) == root / "bin" / "istioctl"
    assert doubles.calls("istioctl") == []


@pytest.mark.parametrize(("says", "word"), [(told("1.29.6"), "1.29.6"), ("no JSON", "of no version")])
def test_a_local_release_of_another_version_is_refused(doubles: Doubles, tmp_path: Path, says: str, word: str) -> None:
    """Nothing else is looked for: the user named it."""
    root = unpacked(tmp_path)
    Doubles(root / "bin").answer("istioctl", VERSION, says)
    with pytest.raises(InstallerError) as error:
        release.istioctl(spec(tmp_path, release=root))
    assert str(error.value) == f"{root}/bin/istioctl is istioctl {word}, wanted 1.30.3"


def test_a_folder_that_is_no_release_is_misuse(tmp_path: Path) -> None:
    """It says what is missing, before anything is made."""
    with pytest.raises(Misuse) as error:
        release.check(spec(tmp_path, release=tmp_path), "bin/istioctl")
    assert str(error.value) == (f"--ambient-istio-dir={tmp_path}: is no unpacked Istio release, it has no bin/istioctl")
    release.check(spec(tmp_path), "bin/istioctl")


def test_istioctl_on_path_must_be_of_exactly_the_version(doubles: Doubles, tmp_path: Path) -> None:
    """The same version is taken, and only asked for its own one: no cluster is touched."""
    doubles.answer("istioctl", VERSION, told("1.30.3"))
    assert release.istioctl(spec(tmp_path)) == doubles.folder / "istioctl"
    assert doubles.lines("istioctl") == ["version --remote=false -o json"]


def test_another_version_on_path_is_passed_over_with_a_word(
    doubles: Doubles, downloads: FileServer, tmp_path: Path
) -> None:
    """The wanted one is downloaded, checked against the first word of its checksum file, and kept."""
    doubles.answer("istioctl", VERSION, told("1.30.2"))
    publish(downloads, "istioctl-1.30.3-linux-amd64.tar.gz", archive({"istioctl": "#!/bin/sh\n"}))
    said: list[str] = []
    path = release.istioctl(spec(tmp_path, within=20), said.append)
    assert path == tmp_path / "cache/pytest-ambient/istio/1.30.3/istioctl"
    assert path.stat().st_mode & 0o100
    assert said == [
        f"{doubles.folder}/istioctl is istioctl 1.30.2, wanted 1.30.3: looking for that one",
        f"downloading {downloads.url}/1.30.3/istioctl-1.30.3-linux-amd64.tar.gz",
    ]


def test_what_was_downloaded_once_needs_no_network(doubles: Doubles, downloads: FileServer, tmp_path: Path) -> None:
    """Neither archive nor checksum is asked for again."""
    publish(downloads, "istioctl-1.30.3-linux-amd64.tar.gz", archive({"istioctl": "#!/bin/sh\n"}))
    first = release.istioctl(spec(tmp_path, within=20))
    asked = list(downloads.asked)
    assert release.istioctl(spec(tmp_path, within=20)) == first
    assert downloads.asked == asked


def test_a_wrong_checksum_keeps_nothing(doubles: Doubles, downloads: FileServer, tmp_path: Path) -> None:
    """The error has both sums; the next run starts anew."""
    publish(downloads, "istioctl-1.30.3-linux-amd64.tar.gz", archive({"istioctl": "x"}), digest="0" * 64)
    with pytest.raises(FetchFailed, match=f"its sha256 is [0-9a-f]{{64}} and must be {'0' * 64}") as error:
        release.istioctl(spec(tmp_path, within=20))
    assert str(error.value).endswith("; offline, unpack an Istio release by hand and name it with --ambient-istio-dir")
    assert not (tmp_path / "cache/pytest-ambient/istio/1.30.3/istioctl").exists()


def test_a_page_in_place_of_a_checksum_is_told(doubles: Doubles, downloads: FileServer, tmp_path: Path) -> None:
    """A proxy's page is no checksum."""
    downloads.files["/1.30.3/istioctl-1.30.3-linux-amd64.tar.gz.sha256"] = b"<html>log in first</html>"
    with pytest.raises(FetchFailed, match="holds no sha256"):
        release.istioctl(spec(tmp_path, within=20))


def test_no_network_says_what_to_do(doubles: Doubles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line with the address and the way around."""
    monkeypatch.setattr(release, "DOWNLOADS", "http://127.0.0.1:9")
    with pytest.raises(FetchFailed) as error:
        release.istioctl(spec(tmp_path, within=20))
    assert str(error.value).startswith("http://127.0.0.1:9/1.30.3/istioctl-1.30.3-linux-amd64.tar.gz.sha256: ")
    assert str(error.value).endswith("; offline, unpack an Istio release by hand and name it with --ambient-istio-dir")
    assert "\n" not in str(error.value)


def test_a_whole_release_is_unpacked_below_its_own_name(
    doubles: Doubles, downloads: FileServer, tmp_path: Path
) -> None:
    """The folder that holds samples and charts; a local one is taken as it is."""
    files = {"istio-1.30.3/samples/addons/kiali.yaml": "a: 1\n", "istio-1.30.3/bin/istioctl": "x"}
    publish(downloads, "istio-1.30.3-linux-amd64.tar.gz", archive(files))
    root = release.folder(spec(tmp_path, within=20))
    assert (root / "samples/addons/kiali.yaml").read_text() == "a: 1\n"
    assert release.folder(spec(tmp_path, release=tmp_path)) == tmp_path


def test_an_archive_of_something_else_is_told(doubles: Doubles, downloads: FileServer, tmp_path: Path) -> None:
    """It is right by its sum and still not what was looked for."""
    publish(downloads, "istio-1.30.3-linux-amd64.tar.gz", archive({"other/README": "x"}))
    with pytest.raises(FetchFailed, match=r"holds no istio-1\.30\.3"):
        release.folder(spec(tmp_path, within=20))


@pytest.mark.parametrize(
    ("system", "machine", "name"),
    [
        ("linux", "x86_64", "linux-amd64"),
        ("linux", "aarch64", "linux-arm64"),
        ("linux", "armv7l", "linux-armv7"),
        ("darwin", "arm64", "osx-arm64"),
        ("darwin", "x86_64", "osx-amd64"),
    ],
)
def test_machines_have_the_names_of_releases(
    monkeypatch: pytest.MonkeyPatch, system: str, machine: str, name: str
) -> None:
    """As the files of a release are called."""
    monkeypatch.setattr("sys.platform", system)
    monkeypatch.setattr("platform.machine", lambda: machine)
    assert release.suffix() == name


def test_a_machine_that_istio_does_not_publish_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what to do instead."""
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("platform.machine", lambda: "s390x")
    with pytest.raises(InstallerError) as error:
        release.suffix()
    assert str(error.value) == ("Istio publishes nothing for linux on s390x: put an istioctl of your own on PATH")


def test_the_version_of_charts(tmp_path: Path) -> None:
    """As the base chart says; a folder without charts has none."""
    assert release.charts_version(unpacked(tmp_path, "1.29.6")) == "1.29.6"
    assert release.charts_version(tmp_path) == ""
