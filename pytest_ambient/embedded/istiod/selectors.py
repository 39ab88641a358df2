"""Whether labels satisfy a Kubernetes label selector."""

from collections.abc import Mapping

from ..objects import Object


def selects(selector: Object | None, labels: Mapping[str, str]) -> bool:
    """Whether a LabelSelector chooses these labels; an absent selector chooses nothing, an empty one everything."""
    if selector is None:
        return False
    wanted: Mapping[str, str] = selector.get("matchLabels") or {}
    expressions: list[Object] = selector.get("matchExpressions") or []
    return wanted.items() <= labels.items() and all(_holds(each, labels) for each in expressions)


def _holds(expression: Object, labels: Mapping[str, str]) -> bool:
    key, values = str(expression.get("key", "")), expression.get("values") or []
    match expression.get("operator"):
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
    return False
