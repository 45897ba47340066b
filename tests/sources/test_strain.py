"""Counters of the receive path are read for whoever asks, and for nobody else."""

import os
import sys
from contextlib import closing

import pytest

from tcptui.query.request import Need, Request
from tcptui.sources.live import LiveSource

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc is Linux's")

STRAIN = {"softnet.dropped", "softnet.time_squeeze"}


def test_they_come_when_asked_for() -> None:
    with closing(LiveSource()) as source:
        plain = source.sample()
        asked = source.sample(Request(needs=frozenset({Need.STRAIN})))
    assert not STRAIN & plain.counters.keys()
    assert asked.counters.keys() >= STRAIN
    assert all(asked.counters[name] >= 0 for name in STRAIN)


def test_so_do_sockets_that_no_table_shows_after_somebody_has_looked() -> None:
    needs = frozenset({Need.LEAKS, Need.OWNERS})
    with closing(LiveSource()) as source:
        assert source.sample(Request(needs=frozenset({Need.LEAKS}))).leaks is None
        source.sample(Request(needs=needs))
        leaks = source.sample(Request(needs=needs)).leaks
        assert source.sample().leaks is None
    assert leaks is not None
    assert os.getpid() not in {process.pid for process in leaks}
