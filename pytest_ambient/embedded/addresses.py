"""Hands out the cluster's addresses: one 127.X/16 block of this machine's loopback per cluster.

Whoever listens at the block's last address owns it; the kernel takes that back when the process ends.
"""

import random
import socket
from collections import deque
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address

BLOCKS = range(64, 255)
_GUARD_PORT = 15008
_PODS = range(1, 67)
_LOCALHOSTS, _THEMSELVES = range(67, 133), range(133, 199)
"""Where each pod's own processes reach it, as localhost and by its address."""
_SERVICES = range(200, 251)
_NODES = 251
_HOSTS = range(252, 255)


class NoAddress(Exception):
    """No block, or no address in it, is free; the text says which."""


class Pool:
    """Addresses of one kind; one that was given back is handed out again as late as possible."""

    def __init__(self, block: int, thirds: range) -> None:
        self._prefix = f"127.{block}."
        self._thirds = thirds
        self._fresh: Iterator[str] = (f"{self._prefix}{third}.{last}" for third in thirds for last in range(1, 255))
        self._returned: deque[str] = deque()
        self._taken: set[str] = set()

    def take(self) -> str:
        """An address that nobody has."""
        for address in self._fresh:
            if address not in self._taken:
                break
        else:
            if not self._returned:
                raise NoAddress(f"all addresses of {self._prefix}{self._thirds.start}.1 and up are taken")
            address = self._returned.popleft()
        self._taken.add(address)
        return address

    def reserve(self, address: str) -> bool:
        """Take that very address; False when it is not of this pool or somebody has it."""
        if address not in self or address in self._taken:
            return False
        self._taken.add(address)
        if address in self._returned:
            self._returned.remove(address)
        return True

    def give_back(self, address: str) -> None:
        """Let it be handed out again."""
        if address in self._taken:
            self._taken.remove(address)
            self._returned.append(address)

    def __contains__(self, address: str) -> bool:
        parts = address.split(".")
        return (
            address.startswith(self._prefix)
            and len(parts) == 4
            and parts[2].isdigit()
            and int(parts[2]) in self._thirds
            and parts[3].isdigit()
            and 0 < int(parts[3]) < 255
        )


class Lent:
    """Where hosts are really served whose own addresses are not this machine's: one address for each key."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._lent: dict[str, str] = {}

    def of(self, key: str) -> str:
        """The address for that key, the same one each time."""
        if key not in self._lent:
            self._lent[key] = self._pool.take()
        return self._lent[key]

    def only(self, keys: Iterable[str]) -> None:
        """Take back what was lent for other keys."""
        for key in self._lent.keys() - set(keys):
            self._pool.give_back(self._lent.pop(key))


class Addresses:
    """One cluster's block: `pods`, `services`, what is lent to `hosts`, and an address for each node."""

    def __init__(self, block: int, guard: socket.socket) -> None:
        self.block = block
        self.pods = Pool(block, _PODS)
        self.services = Pool(block, _SERVICES)
        self.hosts = Lent(Pool(block, _HOSTS))
        self._guard = guard

    @classmethod
    def claim(cls, blocks: Iterable[int] | None = None) -> "Addresses":
        """Take a block that no other cluster of this machine has; NoAddress when there is none."""
        tried = random.sample(BLOCKS, len(BLOCKS)) if blocks is None else list(blocks)
        for block in tried:
            guard = socket.socket()
            try:
                guard.bind((f"127.{block}.255.254", _GUARD_PORT))
                guard.listen(1)
            except OSError:
                guard.close()
            else:
                return cls(block, guard)
        raise NoAddress(f"no free block among 127.{tried[0]}.0.0/16 and {len(tried) - 1} more: all are taken")

    def inside(self, pod: str) -> tuple[str, str]:
        """Where that pod's own processes reach it as localhost, and where by its address."""
        head, third, last = pod.rsplit(".", 2)
        index = _PODS.index(int(third))
        return f"{head}.{_LOCALHOSTS[index]}.{last}", f"{head}.{_THEMSELVES[index]}.{last}"

    def node(self, index: int) -> str:
        """The address of the node with that number, from 0."""
        return str(IPv4Address(f"127.{self.block}.{_NODES}.1") + index)

    def unused(self) -> tuple[str, str]:
        """Two addresses that are no pod's, Service's or node's."""
        return f"127.{self.block}.255.252", f"127.{self.block}.255.253"

    def close(self) -> None:
        """Leave the block to others."""
        self._guard.close()
