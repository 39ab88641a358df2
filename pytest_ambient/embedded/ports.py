"""Where a port of the cluster is really served: an unprivileged process can't bind those below 1024."""

SHIFT = 20000


def bound(port: int) -> int:
    """The port that is bound on this machine for `port` of a pod or Service."""
    return port + SHIFT if port < 1024 else port


def original(port: int) -> int:
    """The cluster's port that is served at `port` of this machine."""
    return port - SHIFT if SHIFT <= port < SHIFT + 1024 else port


def announced(socket: str) -> str:
    """The Unix socket of the same port at which each connection begins with its caller's address."""
    return f"{socket}a"
