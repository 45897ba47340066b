"""Columns that a person has chosen: what may be named, what is refused, and what the table then shows."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptui.config.file import load_config
from tcptui.errors import RequestError
from tcptui.model.fields import FIELDS, ViewKind
from tcptui.model.states import TcpState
from tcptui.sources.demo import DemoSource
from tcptui.tui.column_choice import chosen_columns
from tcptui.tui.columns import MOST_PINNED, Columns, arranged, pinned_count
from tcptui.tui.preferences import Preferences
from tests.support.screens import RunningScreen, running_screen


def chosen(tmp_path: Path, text: str) -> Columns:
    path = tmp_path / "config.toml"
    path.write_text(f"[columns]\n{text}\n")
    return chosen_columns(load_config(str(path)))


def test_states_go_by_any_spelling_and_what_names_the_row_comes_first(tmp_path: Path) -> None:
    columns = chosen(tmp_path, 'peers = ["close-wait", "Total", "estab", "states", "total"]\nports = []')
    assert columns == {
        ViewKind.PEERS: ("peer", "CLOSE_WAIT", "total", "ESTABLISHED", "states"),
        ViewKind.PORTS: ("port",),
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('\npeer = ["total"]', "line 3: columns.peer: there is no such view: did you mean peers?"),
        ('peers = ["totl"]', "line 2: columns.peers: the view peers has no column 'totl': did you mean total?"),
        ('connections = ["states"]', "line 2: columns.connections: the view connections has no column 'states'"),
        ('ports = ["close"]', "line 2: columns.ports: the view ports has no column 'close'"),
        ('listeners = ["holders"]', "line 2: columns.listeners: the view listeners has no column 'holders'"),
    ],
)
def test_what_is_no_column_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(RequestError) as caught:
        chosen(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path}/config.toml: {said}")


@given(st.sampled_from(list(ViewKind)), st.sets(st.sampled_from(list(TcpState))))
def test_the_usual_columns_are_those_of_the_view(kind: ViewKind, present: set[TcpState]) -> None:
    fields = [field for field in kind.fields if not field.is_for_programs]
    shown = [field for field in fields if field.id not in TcpState.__members__ or TcpState[field.id] in present]
    assert list(arranged(fields, kind.usual_columns, present.__contains__)) == shown
    assert pinned_count(kind, [field.id for field in shown]) == shown.index(FIELDS[kind.last_pinned]) + 1


@given(st.sampled_from(list(ViewKind)), st.data())
def test_any_order_shows_each_column_once(kind: ViewKind, data: st.DataObject) -> None:
    fields = [field for field in kind.fields if not field.is_for_programs]
    names = st.sampled_from(sorted({*kind.usual_columns, *(field.id for field in fields)}))
    order = data.draw(st.lists(names, unique=True))
    ids = [field.id for field in arranged(fields, order, lambda _: True)]
    assert len(set(ids)) == len(ids)
    assert set(order) - {"states"} <= set(ids)
    assert 1 <= pinned_count(kind, ids) <= MOST_PINNED


def heading(running: RunningScreen) -> list[str]:
    return [column.field.id for column in running.app._table._visible_columns()]


def test_the_table_has_the_chosen_columns_in_their_order(tmp_path: Path) -> None:
    text = 'peers = ["change", "last-ack", "total", "states"]\nconnections = ["remote_port", "state", "rtt_us"]'
    preferences = Preferences(columns=chosen(tmp_path, text))

    async def run() -> None:
        async with running_screen(DemoSource("leak"), size=(120, 40), samples=3, preferences=preferences) as running:
            shown = heading(running)
            assert shown[:4] == ["peer", "change", "LAST_ACK", "total"]
            assert "CLOSE_WAIT" in shown
            assert "SYN_SENT" not in shown
            assert "recv_queue_bytes" not in shown
            await running.press("s")
            await running.wait_for("▼")
            await running.press("6")
            await running.wait_for("[6 Connections]")
            assert heading(running) == ["state", "remote_port", "rtt_us"]
            await running.press("2")
            await running.wait_for("[2 Processes]")
            assert heading(running)[:3] == ["process", "pid", "descriptors"]

    asyncio.run(run())
