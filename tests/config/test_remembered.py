"""What is remembered between runs, and that nothing can go wrong with it."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptui.config.remembered import LONGEST_FILE, Remembered, state_path


def test_a_section_is_there_in_the_next_run(tmp_path: Path) -> None:
    path = str(tmp_path / "new" / "state.json")
    Remembered(path).remember("layout", {"left": 40})
    assert Remembered(path).section("layout") == {"left": 40}
    assert os.stat(path).st_mode & 0o077 == 0 or os.stat(os.path.dirname(path)).st_mode & 0o077 == 0


def test_two_programs_keep_each_others_sections(tmp_path: Path) -> None:
    path = str(tmp_path / "state.json")
    one, other = Remembered(path), Remembered(path)
    one.remember("layout", {"left": 40})
    other.remember("saving", {"format": "csv"})
    assert Remembered(path).section("layout") == {"left": 40}
    assert Remembered(path).section("saving") == {"format": "csv"}


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"layout": 3}', b"\xff", b"[" * 5000, b" " * (LONGEST_FILE + 1), b'"text"']
)
def test_a_broken_file_is_as_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(content)
    remembered = Remembered(str(path))
    assert remembered.section("layout") == {}
    remembered.remember("layout", {"left": 40})
    assert json.loads(path.read_text()) == {"layout": {"left": 40}}


@given(st.binary(max_size=200))
def test_any_bytes_can_be_read(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("state") / "state.json"
    path.write_bytes(content)
    assert isinstance(dict(Remembered(str(path)).section("layout")), dict)


def test_where_nothing_can_be_written_it_is_remembered_until_the_end() -> None:
    remembered = Remembered("/proc/nowhere/state.json")
    remembered.remember("layout", {"left": 40})
    assert remembered.section("layout") == {"left": 40}


def test_without_a_path_nothing_is_written() -> None:
    remembered = Remembered()
    remembered.remember("layout", {"left": 40})
    assert remembered.section("layout") == {"left": 40}


def test_the_place_follows_xdg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert state_path() == str(tmp_path / "tcptui" / "state.json")
