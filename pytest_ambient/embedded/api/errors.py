"""What the API says when it refuses: errors that become a Kubernetes `Status`."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..objects import Object
from .resources import Resource


@dataclass(frozen=True)
class Cause:
    """One field that is wrong; `reason` is the API's word (`FieldValueInvalid`, `FieldValueRequired` ...)."""

    field: str
    message: str
    reason: str = "FieldValueInvalid"

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message


class ApiError(Exception):
    """A refusal with its HTTP status, the API's reason word (none where a webhook refuses) and a message for people."""

    def __init__(self, status: int, reason: str, message: str, details: Object | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message
        self.details = details or {}

    def body(self) -> Object:
        """The `Status` object that is sent."""
        answer: Object = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            **({"reason": self.reason} if self.reason else {}),
            "code": self.status,
        }
        if self.details:
            answer["details"] = self.details
        return answer


def _about(resource: Resource, name: str, *, kind: str = "") -> Object:
    details = {"name": name, "group": resource.group, "kind": kind or resource.plural}
    return {key: value for key, value in details.items() if value}


def not_found(resource: Resource, name: str) -> ApiError:
    """404: no such object."""
    return ApiError(404, "NotFound", f'{resource.qualified} "{name}" not found', _about(resource, name))


def already_exists(resource: Resource, name: str) -> ApiError:
    """409: the name is taken."""
    message = f'{resource.qualified} "{name}" already exists'
    return ApiError(409, "AlreadyExists", message, _about(resource, name))


def conflict(resource: Resource, name: str, why: str = "") -> ApiError:
    """409: the object is not, or no longer, what the writer thinks it is."""
    why = why or "the object has been modified; please apply your changes to the latest version and try again"
    message = f'Operation cannot be fulfilled on {resource.qualified} "{name}": {why}'
    return ApiError(409, "Conflict", message, _about(resource, name))


_BLOCKING = (
    "FieldValueNotSupported", "FieldValueRequired", "FieldValueTooLong", "FieldValueTooMany", "FieldValueTypeInvalid",
)  # fmt: skip
_UNASKED = (
    "Invalid value: null: some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation"
)
_RULED = ("istio.io", "gateway.networking.k8s.io")


def misshapen(resource: Resource, schema: Object, name: str, causes: Sequence[Cause]) -> ApiError:
    """422: likewise, and of a definition with rules of its own (CEL) that nobody looked at these then."""
    ruled = resource.group.endswith(_RULED) or "x-kubernetes-validations" in repr(schema)
    if resource.custom and ruled and any(each.reason in _BLOCKING for each in causes):
        causes = [*causes, Cause("<nil>", _UNASKED)]
    return invalid(resource, name, causes)


def invalid(resource: Resource, name: str, causes: Sequence[Cause]) -> ApiError:
    """422: fields have wrong values; every one is named."""
    kind = f"{resource.kind}.{resource.group}" if resource.group else resource.kind
    texts = list(dict.fromkeys(str(cause) for cause in causes))
    listed = texts[0] if len(texts) == 1 else "[" + ", ".join(texts) + "]"
    details = _about(resource, name, kind=resource.kind)
    details["causes"] = [{"reason": each.reason, "message": each.message, "field": each.field} for each in causes]
    return ApiError(422, "Invalid", f'{kind} "{name}" is invalid: {listed}', details)


def forbidden(resource: Resource, name: str, why: str) -> ApiError:
    """403: known, but not allowed."""
    subject = f'{resource.qualified} "{name}"' if name else resource.qualified
    return ApiError(403, "Forbidden", f"{subject} is forbidden: {why}", _about(resource, name))


def bad_request(message: str) -> ApiError:
    """400: the request makes no sense."""
    return ApiError(400, "BadRequest", message)


def no_such_path() -> ApiError:
    """404: nothing is served there."""
    return ApiError(404, "NotFound", "the server could not find the requested resource")


def method_not_allowed(what: str = "") -> ApiError:
    """405: served, but not with this verb; `what` names it."""
    message = "the server does not allow this method on the requested resource"
    return ApiError(405, "MethodNotAllowed", f"{message}: {what}" if what else message)


def unsupported_media(accepted: Sequence[str]) -> ApiError:
    """415: the body's format is not taken here."""
    listed = ", ".join(accepted)
    message = f"the body of the request was in an unknown format - accepted media types include: {listed}"
    return ApiError(415, "UnsupportedMediaType", message)


def not_implemented(what: str) -> ApiError:
    """501: a real cluster has it, this one does not; `what` names it."""
    return ApiError(501, "NotImplemented", f"the embedded cluster does not implement {what}")


def expired(message: str) -> ApiError:
    """410: the resource version is no longer remembered."""
    return ApiError(410, "Expired", message)


def unauthorized() -> ApiError:
    """401: nobody is asking."""
    return ApiError(401, "Unauthorized", "Unauthorized")
