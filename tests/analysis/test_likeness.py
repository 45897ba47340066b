"""Whose a connection was that nobody saw: told by those to the same address and port that were seen."""

from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from tcptui.analysis.attribution import attributed
from tcptui.analysis.grouping import build_grid
from tcptui.model.fields import FIELDS, ViewKind
from tcptui.model.owners import Holders, Process, Standing, owners_of
from tcptui.model.sample import Sample
from tcptui.model.states import TcpState
from tcptui.query.mask import mask_of
from tcptui.query.parse import parse_filter
from tests.model.held import held_sample_of
from tests.model.random_tables import Socket

CACHE = IPv4Address("10.0.4.11")
POOL = "/system.slice/php-fpm.service"
FIRST, SECOND = (Process(pid, pid, "php-fpm", "php-fpm: pool www", 33, "www-data", POOL) for pid in (812, 813))
OTHER = Process(900, 900, "curl", "curl 10.0.4.11", 1000, "alice", "/user.slice")


def to_cache(number: int, inode: int = 0, port: int = 11211) -> Socket:
    state = TcpState.ESTABLISHED if inode else TcpState.TIME_WAIT
    return Socket(state, local_port=40000 + number, remote=CACHE, remote_port=port, inode=inode, cookie=number)


def sample_with(holders: dict[int, Holders], *sockets: Socket) -> Sample:
    return attributed(held_sample_of(sockets, owners_of(holders)))


def cells(sample: Sample, *names: str) -> list[tuple[str, ...]]:
    grid = build_grid(sample, ViewKind.CONNECTIONS, None)
    return [tuple(grid.human(row, FIELDS[name]) for name in names) for row in grid.members.tolist()]


def test_workers_of_one_name_are_told_by_it_but_not_by_a_pid() -> None:
    sample = sample_with({1: (FIRST,), 2: (SECOND,)}, to_cache(1, 1), to_cache(2, 2), to_cache(3))
    assert cells(sample, "process", "pid", "service")[2] == ("likely php-fpm", "-", "likely php-fpm.service")


@pytest.mark.parametrize(
    ("holders", "unseen"),
    [
        pytest.param({1: (FIRST,), 2: (OTHER,)}, to_cache(3), id="two names"),
        pytest.param({1: (FIRST, OTHER), 2: (OTHER, FIRST)}, to_cache(3), id="shared by two names"),
        pytest.param({1: (FIRST,), 2: (SECOND,)}, to_cache(3, port=11212), id="another port"),
        pytest.param(
            {1: (FIRST,), 2: (SECOND,)}, replace(to_cache(3), remote=IPv4Address("10.0.4.12")), id="another address"
        ),
        pytest.param({}, to_cache(3), id="nobody known"),
    ],
)
def test_what_is_not_plain_is_not_guessed(holders: dict[int, Holders], unseen: Socket) -> None:
    sample = sample_with(holders, to_cache(1, 1), to_cache(2, 2), unseen)
    assert cells(sample, "process")[2] == ("(closed before)",)


def test_a_filter_by_name_or_service_does_not_mean_the_likely_unless_it_says_so() -> None:
    sample = sample_with({1: (FIRST,)}, to_cache(1, 1), to_cache(3))
    kept = {
        text: mask_of(parse_filter(text).expression, sample.table.rows, sample).tolist()
        for text in ("php-fpm", 'process "likely php-fpm"', "service php-fpm", 'service "likely php-fpm.service"')
    }
    assert list(kept.values()) == [[True, False], [False, True], [True, False], [False, True]]


def test_likely_ones_have_a_row_of_their_own() -> None:
    sample = sample_with({1: (FIRST,)}, to_cache(1, 1), *(to_cache(number) for number in (3, 4, 5)))
    for kind, key in ((ViewKind.PROCESSES, "process"), (ViewKind.SERVICES, "service")):
        grid = build_grid(sample, kind, None)
        rows = {grid.human(row, FIELDS[key]): grid.human(row, FIELDS["total"]) for row in grid.members.tolist()}
        assert sorted(rows.values()) == ["1", "3"]
        assert rows[next(name for name in rows if name.startswith("likely php-fpm"))] == "3"


def test_the_standing_is_told_to_programs() -> None:
    sample = sample_with({1: (FIRST,)}, to_cache(1, 1), to_cache(3))
    assert sample.attribution is not None
    assert [Standing(each) for each in sample.attribution.standing.tolist()] == [Standing.HELD, Standing.LIKELY]
