"""What of the mesh's configuration is heeded here."""

from collections.abc import Mapping

import yaml

from ..objects import Object
from .model import ROOT_NAMESPACE, TRUST_DOMAIN
from .view import MESH_CONFIG, key_of

_HEEDED = ("accessLogFile", "defaultConfig", "defaultProviders", "extensionProviders")
_FIXED: Mapping[str, str] = {"rootNamespace": ROOT_NAMESPACE, "trustDomain": TRUST_DOMAIN}
"""What is as it is at the start."""


def config_warnings(item: Object) -> list[str]:
    """A line for each field of the mesh's configuration that Istio would carry out and the embedded mesh does not."""
    if key_of(item) != MESH_CONFIG:
        return []
    try:
        found = yaml.safe_load(str((item.get("data") or {}).get("mesh", "")))
    except (yaml.YAMLError, ValueError):
        return []
    said = found if isinstance(found, dict) else {}
    unheeded = sorted(str(each) for each in said if each not in _HEEDED and _FIXED.get(each) != said[each])
    return [f"mesh configuration: the embedded mesh does not heed {each}" for each in unheeded]
