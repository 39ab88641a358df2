"""How long ago something was, in the short words that Kubernetes prints."""

from datetime import UTC, datetime


def parsed(stamp: str) -> datetime:
    """The moment of a timestamp as objects carry it; ValueError when it is none."""
    return datetime.fromisoformat(stamp.replace("Z", "+00:00"))


def age(stamp: str, *, until: str = "") -> str:
    """The time since `stamp`, up to another moment or now, e.g. `5m12s`; `<unknown>` when there is none."""
    if not stamp:
        return "<unknown>"
    end = parsed(until) if until else datetime.now(UTC)
    return short((end - parsed(stamp)).total_seconds())


def short(seconds: float) -> str:
    """A duration in at most two units."""
    whole = int(seconds)
    if whole < -1:
        return "<invalid>"
    if whole < 0:
        return "0s"
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if whole < 120:
        return f"{whole}s"
    if minutes < 10:
        return _pair(minutes, "m", whole % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _pair(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if hours < 192:
        return _pair(days, "d", hours % 24, "h")
    if days < 730:
        return f"{days}d"
    return _pair(days // 365, "y", days % 365, "d") if days < 8 * 365 else f"{days // 365}y"


def _pair(large: int, unit: str, small: int, part: str) -> str:
    return f"{large}{unit}{small}{part}" if small else f"{large}{unit}"
