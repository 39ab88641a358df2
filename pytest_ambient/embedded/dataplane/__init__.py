"""The data plane of the embedded mesh: real Envoys that play ztunnel on every node and each waypoint."""

from .plane import DataPlane

__all__ = ["DataPlane"]
