"""Several network namespaces: each is judged by itself, with its own parameters."""

from dataclasses import replace

import numpy as np

from tcptui.model.sample import Sample
from tcptui.model.states import TcpState
from tests.diagnosis.scenes import JAVA, NGINX, NO_INFO, fired, judged, listener, part
from tests.diagnosis.scenes import at as at_once


def in_two(*, here: int, there: int) -> Sample:
    """So many CLOSE_WAIT of a process in the first namespace and of another in the second."""
    sample = at_once(
        0,
        listener(),
        part(TcpState.CLOSE_WAIT, here, holder=NGINX, idle_ms=900_000),
        part(TcpState.CLOSE_WAIT, there, holder=JAVA, idle_ms=900_000),
        absent=NO_INFO - {"idle_ms"},
    )
    sample.table.rows["netns"] = np.repeat([0, 1], [1 + here, there])
    parameters = {0: {}, 1: {"net.ipv4.tcp_syncookies": "0"}}
    return replace(sample, namespaces=("self", "blue"), namespace_parameters=parameters)


def test_a_finding_says_where_it_is() -> None:
    findings = [each for each in judged(in_two(here=30, there=40)).findings if each.rule == "R01"]
    assert [(each.subject, each.size) for each in findings] == [("900 @blue", 40), ("812 @self", 30)]
    assert findings[0].verdict.endswith("(netns blue)")


def test_parameters_are_those_of_the_namespace() -> None:
    found = fired(judged(in_two(here=1, there=1)))
    assert found["R27"].subject == "net.ipv4.tcp_syncookies @blue"


def test_of_very_many_those_with_hardly_a_socket_are_left_alone() -> None:
    """A machine full of containers has hundreds, each with a listener or two."""
    parts = [part(TcpState.CLOSE_WAIT, count, holder=JAVA, idle_ms=900_000) for count in (*[2] * 30, 40)]
    sample = at_once(0, *parts, absent=NO_INFO - {"idle_ms"})
    sample.table.rows["netns"] = np.repeat(range(31), [*[2] * 30, 40])
    names = tuple(f"ns{number}" for number in range(31))
    found = [each for each in judged(replace(sample, namespaces=names)).findings if each.rule == "R01"]
    assert {each.subject.rpartition(" @")[2] for each in found} == {"ns30"}


def test_what_is_few_in_each_is_not_many_together() -> None:
    assert "R01" not in {each.rule for each in judged(in_two(here=15, there=15)).findings if each.size > 15}
