"""What an explanation is told of a sample."""

from dataclasses import replace

import numpy as np

from tcptui.model.disk import OnDisk
from tcptui.model.owners import Descriptors, Owners, Process
from tcptui.model.sample import Sample, Whereabouts
from tcptui.monitor.circumstances import circumstances_of
from tcptui.sources.demo import DemoSource

NO_INODES = np.zeros(0, np.uint32)


def sample(second: float, **counters: int) -> Sample:
    first = DemoSource("calm").sample()
    named = {f"TcpExt.{name}": value for name, value in counters.items()}
    return replace(first, monotonic_s=second, counters=named)


def held_by(*processes: tuple[Process, Descriptors]) -> Whereabouts:
    owners = Owners(
        NO_INODES,
        np.zeros(0, np.int32),
        groups=tuple((process,) for process, _ in processes),
        descriptors={process.pid: descriptors for process, descriptors in processes},
    )
    return Whereabouts(owners=owners)


def test_rates_are_growth_a_second() -> None:
    told = circumstances_of(sample(12.0, TW=30, ListenDrops=5), sample(10.0, TW=10, ListenDrops=5))
    assert told.rates == {"TcpExt.TW": 10.0, "TcpExt.ListenDrops": 0.0}


def test_there_are_no_rates_without_a_sample_before() -> None:
    assert circumstances_of(sample(12.0, TW=30)).rates == {}
    assert circumstances_of(sample(12.0, TW=30), sample(12.0, TW=10)).rates == {}


def test_a_counter_that_is_new_or_fell_has_no_rate() -> None:
    told = circumstances_of(sample(12.0, TW=30, TWKilled=1), sample(10.0, TW=40))
    assert told.rates == {}


def test_the_process_nearest_to_its_limit_is_found() -> None:
    java, nginx, free = (Process(pid, 1, name) for pid, name in ((812, "java"), (20, "nginx"), (30, "free")))
    whereabouts = held_by(
        (java, Descriptors(980, 1024)), (nginx, Descriptors(5000, 65536)), (free, Descriptors(10**6, None))
    )
    nearest = circumstances_of(replace(sample(1.0), whereabouts=whereabouts), with_limits=True).nearest_limit
    assert nearest is not None
    assert (nearest.process, nearest.pid, nearest.used, nearest.limit) == ("java", 812, 980, 1024)


def test_nobody_is_near_a_limit_where_nobody_was_looked_at() -> None:
    assert circumstances_of(replace(sample(1.0), whereabouts=None), with_limits=True).nearest_limit is None
    assert circumstances_of(replace(sample(1.0), whereabouts=held_by()), with_limits=True).nearest_limit is None


def test_each_namespace_has_its_parameters_and_the_files_are_about_the_own_one() -> None:
    both = replace(
        sample(1.0),
        namespaces=("self", "blue"),
        parameters={"a": "1"},
        namespace_parameters={0: {"a": "1"}, 1: {"a": "2"}},
        read_only_parameters={0: frozenset(), 1: frozenset({"a"})},
        disk=OnDisk(),
    )
    own, other = circumstances_of(both), circumstances_of(both, netns=1)
    assert (own.parameters, own.read_only, own.disk) == ({"a": "1"}, frozenset(), OnDisk())
    assert (other.parameters, other.read_only, other.disk) == ({"a": "2"}, frozenset({"a"}), None)
