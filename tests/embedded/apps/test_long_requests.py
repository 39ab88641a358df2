"""How long a request's line and its headers may be."""

from collections.abc import Callable

import pytest

from pytest_ambient.embedded.apps.httpbin import Httpbin, go_httpbin, old_httpbin
from pytest_ambient.embedded.apps.program import Surroundings

from .street import Street, walk


@pytest.mark.parametrize(("program", "status"), [(go_httpbin, 200), (old_httpbin, 400)])
def test_long_headers(program: Callable[[Surroundings], Httpbin], status: int) -> None:
    """Go's server takes a mebibyte, as large tokens and cookies need it; gunicorn eight kibibytes."""

    async def scenario(street: Street) -> None:
        await street.open("httpbin", program)
        for path, headers in (("/get", {"X-Long": 50_000 * "a"}), (f"/get?{50_000 * 'a'}", {})):
            assert (await street.ask("httpbin", path, headers=headers)).status == status

    walk(scenario)
