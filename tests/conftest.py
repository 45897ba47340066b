"""What live tests share, and which tests may run side by side."""

import gc
import os
import shutil
import tempfile
import time
from collections.abc import Iterator

import pytest

from tests.support.lab import Lab
from tests.support.netns import NetworkNamespace
from tests.support.privileges import require_live

ALONE = "bench"
LONGEST = ("test_tours", "test_slow_line")
IN_ONE_PROCESS = ("test_exit_codes", "test_filters", "test_from", "test_completion", "test_make")
"""Modules whose tests share what takes long to make."""


def pytest_configure(config: pytest.Config) -> None:
    """Each run sees the same surroundings; nothing that the program remembers goes into the home of whoever runs it."""
    for name in ("PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"):  # the program runs as it does for most people
        os.environ.pop(name, None)
    os.environ["TZ"] = "UTC"
    time.tzset()
    os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp(prefix="tcptui-state-")
    config.add_cleanup(lambda: shutil.rmtree(os.environ["XDG_STATE_HOME"], ignore_errors=True))


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """One process where something is measured, or where the output is to be seen as it comes (``-s``)."""
    if config.option.markexpr == ALONE or config.option.capture == "no":
        config.option.numprocesses, config.option.dist = 0, "no"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Live tests run one after the other: some count what the whole machine does. Lifetimes only wait, beside them.

    What takes longest begins first, so that nobody waits for it at the end.
    """
    for item in items:
        if item.get_closest_marker("live") is not None:
            group = "lifetimes" if item.path.stem == "test_lifetimes" else "live"
            item.add_marker(pytest.mark.xdist_group(group))
        elif item.path.stem in IN_ONE_PROCESS:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
    items.sort(key=lambda item: item.get_closest_marker("live") is None and item.path.stem not in LONGEST)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Search for garbage seldom, and never among thousands of tests: that is a quarter of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


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
