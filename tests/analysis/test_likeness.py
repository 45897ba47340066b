"""Whose a connection was that nobody saw: told by those to the same address and port that were seen and then closed."""

from dataclasses import replace
from ipaddress import IPv4Address

import numpy as np
import pytest

from tcptui.analysis.attribution import Remembered, attribute
from tcptui.analysis.grouping import build_grid
from tcptui.model.fields import FIELDS, ViewKind
from tcptui.model.owners import Blindness, Holders, Process, Standing, owners_of
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
CAUGHT: tuple[Holders, ...] = ((FIRST,), (SECOND,), (FIRST,))


def to_cache(number: int, inode: int = 0, port: int = 11211) -> Socket:
    state = TcpState.ESTABLISHED if inode else TcpState.TIME_WAIT
    return Socket(state, local_port=40000 + number, remote=CACHE, remote_port=port, inode=inode, cookie=number)


def sample_with(
    caught: tuple[Holders, ...], *unseen: Socket, blindness: Blindness = Blindness.NONE, inode: int = 0
) -> Sample:
    """Closed connections whose holders were seen, then others."""
    sockets = [*(to_cache(number, inode) for number in range(len(caught))), *unseen]
    sample = held_sample_of(sockets, owners_of({}, blindness=blindness))
    codes = np.array([*range(len(caught)), *[-1] * len(unseen)], np.int32)
    none = np.zeros(len(sockets), bool)
    memory = Remembered(codes, none, caught, np.zeros(len(sockets), np.uint64), none, none)
    return replace(sample, attribution=attribute(sample, memory))


def last_cells(sample: Sample, *names: str) -> tuple[str, ...]:
    grid = build_grid(sample, ViewKind.CONNECTIONS, None)
    return tuple(grid.human(int(grid.members[-1]), FIELDS[name]) for name in names)


def test_workers_of_one_name_are_told_by_it_but_not_by_a_pid() -> None:
    cells = last_cells(sample_with(CAUGHT, to_cache(9)), "process", "pid", "service")
    assert cells == ("likely php-fpm", "-", "likely php-fpm.service")


@pytest.mark.parametrize(
    "sample",
    [
        pytest.param(sample_with((*CAUGHT, (OTHER,)), to_cache(9)), id="two names"),
        pytest.param(sample_with(((FIRST, OTHER),) * 3, to_cache(9)), id="shared by two names"),
        pytest.param(sample_with(CAUGHT[:2], to_cache(9)), id="too few"),
        pytest.param(sample_with(CAUGHT, to_cache(9, port=11212)), id="another port"),
        pytest.param(sample_with(CAUGHT, replace(to_cache(9), remote=IPv4Address("10.0.4.12"))), id="another address"),
        pytest.param(sample_with(CAUGHT, to_cache(9), blindness=Blindness.OTHER_USERS), id="others are hidden"),
        pytest.param(sample_with(CAUGHT, to_cache(9), inode=5), id="those that are open tell nothing"),
    ],
)
def test_what_is_not_plain_is_not_guessed(sample: Sample) -> None:
    assert last_cells(sample, "process") == ("(closed before)",)


def test_a_filter_by_name_or_service_does_not_mean_the_likely_unless_it_says_so() -> None:
    sample = sample_with(CAUGHT, to_cache(9))
    for text, is_kept in (
        ("php-fpm", False),
        ('process "likely php-fpm"', True),
        ("service php-fpm", False),
        ('service "likely php-fpm.service"', True),
    ):
        assert mask_of(parse_filter(text).expression, sample.table.rows, sample)[-1] == is_kept


def test_likely_ones_have_a_row_of_their_own() -> None:
    sample = sample_with(CAUGHT, *(to_cache(number) for number in (7, 8, 9, 10)))
    for kind, key in ((ViewKind.PROCESSES, "process"), (ViewKind.SERVICES, "service")):
        grid = build_grid(sample, kind, None)
        rows = {grid.human(row, FIELDS[key]): grid.human(row, FIELDS["total"]) for row in grid.members.tolist()}
        assert rows[next(name for name in rows if name.startswith("likely php-fpm"))] == "4"


def test_the_standing_is_told_to_programs() -> None:
    sample = sample_with(CAUGHT, to_cache(9))
    assert sample.attribution is not None
    assert [Standing(each) for each in sample.attribution.standing.tolist()] == [
        *[Standing.REMEMBERED] * 3,
        Standing.LIKELY,
    ]
