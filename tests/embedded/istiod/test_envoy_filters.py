"""EnvoyFilters: the one shape that is carried out, and how others are refused."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_ambient.embedded.istiod.envoy_filters import filter_patch_causes, rate_limits
from pytest_ambient.embedded.istiod.model import RateLimit
from pytest_ambient.embedded.istiod.view import View
from pytest_ambient.embedded.objects import Object

MANIFEST = Path(__file__).parents[3] / "conformance" / "l7" / "test_rate_limit.yaml"


def limited() -> Any:
    """The catalogue's own EnvoyFilter."""
    return yaml.safe_load(MANIFEST.read_text())


def patched(*path: str | int, value: object) -> Object:
    """It with another value there, below its only patch."""
    item: Object = limited()
    part: Any = item["spec"]["configPatches"][0]
    for each in path[:-1]:
        part = part[each]
    part[path[-1]] = value
    return item


def test_limit_reaches_its_waypoint_alone() -> None:
    """The bucket is carried over, also from a TypedStruct; other waypoints have none."""
    wanted = (RateLimit(1, 1, 3600.0, (("x-limited", "yes"),)),)
    item = limited()
    assert list(filter_patch_causes(item)) == []
    view = View(envoy_filters=[item])
    assert rate_limits(view, "${NAMESPACE}/httpbin-waypoint") == wanted
    assert rate_limits(view, "${NAMESPACE}/other") == ()
    value = item["spec"]["configPatches"][0]["patch"]["value"]
    plain = value["typed_config"]
    value["typed_config"] = {
        "@type": "type.googleapis.com/udpa.type.v1.TypedStruct",
        "type_url": plain.pop("@type"),
        "value": plain,
    }
    assert list(filter_patch_causes(item)) == []
    assert rate_limits(view, "${NAMESPACE}/httpbin-waypoint") == wanted


CONFIG = ("patch", "value", "typed_config")


@pytest.mark.parametrize(
    ("item", "field"),
    [
        (patched("applyTo", value="CLUSTER"), "spec.configPatches[0].applyTo"),
        (patched("match", "context", value="GATEWAY"), "spec.configPatches[0].match"),
        (patched("match", "listener", "name", value="connect_terminate"), "spec.configPatches[0].match"),
        (patched("patch", "operation", value="REPLACE"), "spec.configPatches[0].patch"),
        (patched(*CONFIG, "@type", value="type.googleapis.com/other"), "spec.configPatches[0].patch"),
        (patched(*CONFIG, "filter_enforced", value={}), "spec.configPatches[0].patch"),
        (patched(*CONFIG, "descriptors", value=[]), "spec.configPatches[0].patch"),
        (patched(*CONFIG, "token_bucket", "fill_interval", value="1ms"), "spec.configPatches[0].patch"),
        (patched(*CONFIG, "token_bucket", "max_tokens", value=-1), "spec.configPatches[0].patch"),
        (patched(*CONFIG, "token_bucket", "max_tokens", value=2**32), "spec.configPatches[0].patch"),
        (patched(*CONFIG, "token_bucket", "tokens_per_fill", value="many"), "spec.configPatches[0].patch"),
        ({"spec": {"workloadSelector": {}}}, "spec.targetRefs"),
        ({"spec": {"targetRefs": [{"kind": "Service", "group": "", "name": "a"}]}}, "spec.targetRefs[0].kind"),
    ],
)
def test_other_shapes_are_refused_by_name(item: Object, field: str) -> None:
    """One cause, which names what is not carried out."""
    (cause,) = filter_patch_causes(item)
    assert cause.field == field
    assert "the embedded mesh does not implement" in cause.message
