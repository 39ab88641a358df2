"""Small texts that several printed columns share."""

from collections.abc import Mapping, Sequence

from ..objects import Object


def joined(parts: Sequence[str], *, empty: str = "<none>") -> str:
    """Comma separated, or a word for nothing."""
    return ",".join(parts) or empty


def labels_text(labels: Mapping[str, str]) -> str:
    """`a=b,c=d`, sorted."""
    return joined([f"{key}={labels[key]}" for key in sorted(labels)])


def selector_text(selector: Object) -> str:
    """A LabelSelector in one line, for people."""
    return selector_query(selector) or joined(())


def selector_query(selector: Object) -> str:
    """A LabelSelector as queries carry it, empty when it asks for nothing."""
    parts = [f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items())]
    for each in selector.get("matchExpressions") or ():
        values = ",".join(each.get("values") or ())
        words = {"In": f"{each['key']} in ({values})", "NotIn": f"{each['key']} notin ({values})",
                 "Exists": each["key"], "DoesNotExist": f"!{each['key']}"}  # fmt: skip
        parts.append(words[each["operator"]])
    return ",".join(parts)
