"""Addresses of clusters on one machine: each has a block of its own, and what is given back waits."""

import pytest

from pytest_ambient.embedded.addresses import Addresses, NoAddress


def test_two_clusters_have_two_blocks() -> None:
    """A block that somebody has is not handed out again until it is left."""
    first = Addresses.claim()
    with pytest.raises(NoAddress, match=f"no free block among 127.{first.block}"):
        Addresses.claim([first.block])
    second = Addresses.claim()
    assert first.block != second.block
    first.close()
    again = Addresses.claim([first.block])
    again.close()
    second.close()


def test_addresses_come_back_late() -> None:
    """An address that was given back is the last to be handed out again; a reserved one is never."""
    addresses = Addresses.claim()
    pool = addresses.services
    first, second = pool.take(), pool.take()
    pool.give_back(first)
    assert pool.take() not in (first, second)
    assert not pool.reserve(second)
    assert not pool.reserve("127.0.0.1")
    wanted = second.rpartition(".")[0] + ".77"
    assert pool.reserve(wanted)
    assert wanted not in {pool.take() for _ in range(100)}
    addresses.close()


def test_what_is_lent_stays_until_nobody_names_it() -> None:
    """A key has one address; what is taken back comes again as late as possible."""
    addresses = Addresses.claim()
    try:
        lent = addresses.hosts
        first, second = lent.of("a/x."), lent.of("a/y.")
        assert (lent.of("a/x."), first == second) == (first, False)
        assert first not in addresses.services
        lent.only(["a/y."])
        assert lent.of("a/y.") == second
        assert lent.of("a/x.") not in (first, second)
    finally:
        addresses.close()
