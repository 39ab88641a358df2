"""Which names objects may have."""

import re
import secrets

from ..objects import Object, name_of, namespace_of
from .errors import ApiError, Cause, bad_request, invalid
from .resources import Resource

_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_SERVICE = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_FREE = frozenset({"roles", "rolebindings", "clusterroles", "clusterrolebindings"})

_LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
_SERVICE_TEXT = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
    "'[a-z]([-a-z0-9]*[a-z0-9])?')"
)
_SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_DNS_LABELS = {("", "namespaces"): (_LABEL, _LABEL_TEXT), ("", "services"): (_SERVICE, _SERVICE_TEXT)}


def random_suffix() -> str:
    """Five letters that make no word."""
    return "".join(secrets.choice(_LETTERS) for _ in range(5))


def label_fault(name: str) -> str:
    """Why a name is no label of DNS, empty when it is one."""
    if not _LABEL.fullmatch(name):
        return _LABEL_TEXT
    return "must be no more than 63 characters" if len(name) > 63 else ""


def generated_name(stem: str) -> str:
    """A fresh name for `generateName`."""
    return stem[:58] + random_suffix()


def check_name(resource: Resource, obj: Object) -> None:
    """ApiError unless the object has a legal name, and a namespace exactly when its kind has one."""
    name, namespace = name_of(obj), namespace_of(obj)
    if resource.namespaced and not namespace:
        raise bad_request("an empty namespace may not be set during creation")
    if not resource.namespaced and namespace:
        raise bad_request("namespace is not allowed on cluster-scoped resources")
    if not name:
        cause = Cause("metadata.name", "Required value: name or generateName is required", "FieldValueRequired")
        raise invalid(resource, "", [cause])
    fault = _fault(resource, name)
    if fault:
        raise fault


def _fault(resource: Resource, name: str) -> ApiError | None:
    if resource.plural in _FREE:
        wrong = "may not contain '/' or '%'" if re.search(r"[/%]", name) else ""
    elif resource.key in _DNS_LABELS:
        form, text = _DNS_LABELS[resource.key]
        wrong = "" if form.fullmatch(name) else text
        wrong = wrong or ("must be no more than 63 characters" if len(name) > 63 else "")
    else:
        wrong = "" if _SUBDOMAIN.fullmatch(name) else _SUBDOMAIN_TEXT
        wrong = wrong or ("must be no more than 253 characters" if len(name) > 253 else "")
    return invalid(resource, name, [Cause("metadata.name", f'Invalid value: "{name}": {wrong}')]) if wrong else None
