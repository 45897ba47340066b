"""What the tests of the browser share."""

from collections.abc import Iterator

import pytest

from tests.support.serving import Served, served


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    """A server for tests that leave it as it is."""
    with served("--demo", "leak") as running:
        yield running
