"""What the API refuses in the filters of HTTPRoutes."""

import pytest

from pytest_ambient.embedded.istiod.route_rules import route_causes
from pytest_ambient.embedded.objects import Object

from .world import route

BACKEND: Object = {"group": "", "kind": "Service", "name": "a", "port": 1}
PREFIX: Object = {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/b"}}
MIRROR: Object = {"backendRef": BACKEND}


def rewrite(**asked: object) -> Object:
    """A URLRewrite."""
    return {"type": "URLRewrite", "urlRewrite": asked}


def redirect(**asked: object) -> Object:
    """A RequestRedirect."""
    return {"type": "RequestRedirect", "requestRedirect": asked}


def mirror(**asked: object) -> Object:
    """A RequestMirror."""
    return {"type": "RequestMirror", "requestMirror": {**MIRROR, **asked}}


def refused(*filters: Object, **rule: object) -> list[tuple[str, str]]:
    """Where the causes are, below the rule, and what they say."""
    item = route("r", [{"filters": list(filters), **rule}])
    return [(each.field.removeprefix("spec.rules[0]").lstrip("."), each.message) for each in route_causes(item)]


@pytest.mark.parametrize(
    ("found", "field", "message"),
    [
        (refused(redirect(), backendRefs=[BACKEND]), "", "RequestRedirect filter must not be used together with"),
        (refused(rewrite(), redirect()), "filters", "May specify either httpRouteFilterRequestRedirect or"),
        (refused(redirect(statusCode=304)), "filters[0].requestRedirect.statusCode", 'values: "301", "302", "303"'),
        (
            refused(rewrite(**PREFIX), matches=[{"path": {"type": "Exact", "value": "/a"}}]),
            "",
            "When using URLRewrite filter with path.replacePrefixMatch, exactly one PathPrefix match",
        ),
        (refused(redirect(**PREFIX), matches=[{}, {}]), "", "When using RequestRedirect filter with path.replace"),
        (
            refused(rewrite(path={"type": "ReplaceFullPath"})),
            "filters[0].urlRewrite.path",
            "replaceFullPath must be specified when type is set to 'ReplaceFullPath'",
        ),
        (
            refused(redirect(path={"type": "ReplaceFullPath", "replaceFullPath": "/", "replacePrefixMatch": "/"})),
            "filters[0].requestRedirect.path",
            "type must be 'ReplacePrefixMatch' when replacePrefixMatch is set",
        ),
        (refused(mirror(backendRef=BACKEND | {"port": 0})), "filters[0].requestMirror.backendRef", "Must have port"),
        (refused(mirror(percent=1, fraction={"numerator": 1})), "filters[0].requestMirror", "Only one of percent or"),
        (refused(mirror(fraction={"numerator": 101})), "filters[0].requestMirror.fraction", "numerator must be less"),
        (
            refused({"type": "CORS", "cors": {"allowOrigins": ["*", "http://a.example"]}}),
            "filters[0].cors.allowOrigins",
            "AllowOrigins cannot contain '*' alongside other origins",
        ),
        (
            refused(timeouts={"request": "1s", "backendRequest": "1100ms"}),
            "timeouts",
            "backendRequest timeout cannot be longer than request timeout",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(found: list[tuple[str, str]], field: str, message: str) -> None:
    """One cause, at its field, in the API's words."""
    ((where, said),) = found
    assert where == field
    assert message in said


def test_what_goes_together_is_taken() -> None:
    """All filters that may stand side by side, and a redirect for itself."""
    cors = {"type": "CORS", "cors": {"allowOrigins": ["http://a.example"]}}
    assert refused(rewrite(**PREFIX), mirror(), mirror(percent=1), cors, backendRefs=[BACKEND]) == []
    assert refused(redirect(**PREFIX), timeouts={"request": "0s", "backendRequest": "1s"}) == []
