"""What live tests share."""

from collections.abc import Iterator

import pytest

from tests.support.lab import Lab
from tests.support.netns import NetworkNamespace
from tests.support.privileges import require_live


@pytest.fixture
def lab() -> Iterator[Lab]:
    """An empty lab."""
    require_live()
    with Lab() as running:
        yield running


@pytest.fixture
def namespace() -> Iterator[NetworkNamespace]:
    """A namespace with nothing in it but its loopback."""
    require_live()
    with NetworkNamespace("test") as made:
        yield made
