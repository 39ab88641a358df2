"""The file with the Gateway API's CRDs: found or downloaded, and looked at before it is kept or used."""

import hashlib
import json
import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeAlias

from pytest_ambient._fetch import fetch
from pytest_ambient.errors import FetchFailed, InstallerError
from pytest_ambient.mesh import versions
from pytest_ambient.mesh.installer import MeshSpec

Object: TypeAlias = dict[str, Any]

RELEASES = "https://github.com/kubernetes-sigs/gateway-api/releases/download"
TABLE = Path(__file__).with_name("bundles.toml")
GROUP = "gateway.networking.k8s.io"
NEEDED = ("gatewayclasses", "gateways", "httproutes", "referencegrants")
"""Without these there is no waypoint."""
BUNDLE = f"{GROUP}/bundle-version"
CHANNEL = f"{GROUP}/channel"

OFFLINE = "or put the file into the folder of --ambient-istio-dir"


def bring(spec: MeshSpec, say: Callable[[str], None]) -> Sequence[Object]:
    """The CRDs of the bundle for an Istio version, without the policy that it may bring.

    From the local release where somebody put the file, else downloaded and checked. Raises InstallerError for a local
    file that has no CRDs, FetchFailed for a download that failed or is something else.
    """
    version, name = versions.of(spec.version).gateway_api, f"{spec.gateway_api}-install.yaml"
    if spec.release is not None and (spec.release / name).is_file():
        return _local(spec.release / name, version, spec, say)
    url, fits = f"{RELEASES}/{version}/{name}", partial(wrong, version=version, channel=spec.gateway_api)
    kept = f"gateway-api/{version}/{name}"
    try:
        return read(fetch(url, sha256=None, check=fits, name=kept, say=say, within=spec.within))
    except FetchFailed as error:
        raise FetchFailed(f"{error}; {OFFLINE}") from None


def read(path: Path) -> list[Object]:
    """The CRDs in a file; InstallerError in one line when there are none."""
    import yaml

    try:
        documents = list(yaml.load_all(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InstallerError(f"{path}: is no bundle of the Gateway API: {' '.join(str(error).split())}") from None
    found = [item for item in documents if isinstance(item, dict) and item.get("kind") == "CustomResourceDefinition"]
    if not found:
        raise InstallerError(f"{path}: is no bundle of the Gateway API: it has no CRDs")
    half = [item for item in found if not (item.get("metadata") or {}).get("name") or not _versions(item)]
    if half:
        raise InstallerError(f"{path}: is no bundle of the Gateway API: {len(half)} of its CRDs are not whole")
    return found


def _versions(crd: Object) -> object:
    return (crd.get("spec") or {}).get("versions")


def wrong(path: Path, version: str, channel: str) -> str:
    """Why a file is not the bundle of a version and channel; empty when it is."""
    try:
        found = read(path)
    except InstallerError as error:
        return str(error).removeprefix(f"{path}: ")
    told = sorted({f"{annotation(item, BUNDLE) or 'unknown'} {annotation(item, CHANNEL)}".strip() for item in found})
    if told != [f"{version} {channel}"]:
        return f"is the Gateway API {', '.join(told)}, wanted {version} {channel}"
    names = {str(item["metadata"]["name"]).partition(".")[0] for item in found}
    missing = [name for name in NEEDED if name not in names]
    if missing:
        return f"is not the whole Gateway API {version}, it lacks {', '.join(missing)}"
    known = _table().get(version, {}).get(channel)
    if known is not None and digest(found) != known:
        return f"is not the Gateway API {version} as it was published: the contents of its CRDs are others"
    return ""


def digest(crds: Sequence[Object]) -> str:
    """The sha256 over what CRDs say, whatever their order and form: a release's file has a year and paths in it."""
    ordered = sorted(crds, key=lambda item: str(item["metadata"]["name"]))
    plain = json.dumps(ordered, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(plain.encode()).hexdigest()


def annotation(item: Object, key: str) -> str:
    """What a CRD says of itself; empty when it does not."""
    return str((item["metadata"].get("annotations") or {}).get(key) or "")


def _local(path: Path, version: str, spec: MeshSpec, say: Callable[[str], None]) -> Sequence[Object]:
    found = read(path)
    other = sorted({annotation(item, BUNDLE) or "unknown" for item in found} - {version})
    if other:
        say(f"{path} is the Gateway API {', '.join(other)}: Istio {spec.version} is built with {version}")
    return found


@cache
def _table() -> Mapping[str, Mapping[str, str]]:
    return tomllib.loads(TABLE.read_text())
