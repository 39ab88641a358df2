"""Which labels, annotations and owners objects may have."""

import re

from ..objects import Object
from .errors import Cause

_NAME = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_PREFIX = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")
_MANY = 262144

_VALUE_TEXT = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
_NAME_TEXT = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)


def metadata_faults(new: Object, old: Object | None) -> list[Cause]:
    """What is wrong with the object's metadata; `old` is what it replaces."""
    meta = new["metadata"]
    found = []
    for key, value in (meta.get("labels") or {}).items():
        found += _key_faults(key, "metadata.labels")
        if not _VALUE.fullmatch(value):
            found.append(Cause("metadata.labels", f'Invalid value: "{value}": {_VALUE_TEXT}'))
        elif len(value) > 63:
            found.append(Cause("metadata.labels", f'Invalid value: "{value}": must be no more than 63 bytes'))
    annotations = meta.get("annotations") or {}
    for key in annotations:
        found += _key_faults(key.lower(), "metadata.annotations")
    if sum(len(key) + len(value) for key, value in annotations.items()) > _MANY:
        text = f"Too long: may not be more than {_MANY} bytes"
        found.append(Cause("metadata.annotations", text, "FieldValueTooLong"))
    if old is not None and "deletionTimestamp" in old["metadata"]:
        added = set(meta.get("finalizers") or ()) - set(old["metadata"].get("finalizers") or ())
        if added:
            text = "Forbidden: no new finalizers can be added if the object is being deleted"
            found.append(Cause("metadata.finalizers", text, "FieldValueForbidden"))
    return found


def _key_faults(key: str, path: str) -> list[Cause]:
    prefix, slash, name = key.rpartition("/")
    if slash and not _PREFIX.fullmatch(prefix):
        return [Cause(path, f'Invalid value: "{key}": prefix part must be a lowercase RFC 1123 subdomain')]
    if not _NAME.fullmatch(name):
        return [Cause(path, f'Invalid value: "{key}": {_NAME_TEXT}')]
    if len(name) > 63:
        return [Cause(path, f'Invalid value: "{key}": name part must be no more than 63 bytes')]
    return []
