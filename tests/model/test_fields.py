"""Fields are declared once and every view is made of them."""

import re
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptui.errors import RequestError
from tcptui.model.fields import (
    ADDRESS,
    AGE,
    CHANGE,
    COUNT,
    ENDPOINT,
    FIELDS,
    INFO_FIELDS,
    MICROSECONDS,
    MILLISECONDS,
    NETWORK,
    NO_NUMBER,
    NUMBER,
    OPTIONAL_NUMBER,
    STATE,
    TEXT,
    TIMER,
    USED_OF_LIMIT,
    Field,
    FieldType,
    Json,
    SortKey,
    Value,
    ViewKind,
    default_sort,
    duration_text,
    parse_sort,
)
from tcptui.model.states import ALL_STATES, DISPLAY_ORDER, TcpState
from tests.model.random_tables import mapped

every_field = pytest.mark.parametrize("field", FIELDS.values(), ids=FIELDS)
every_kind = pytest.mark.parametrize("kind", ViewKind, ids=[kind.value for kind in ViewKind])


@every_field
def test_a_field_is_declared_with_all_that_its_users_need(field: Field) -> None:
    assert FIELDS[field.id] is field
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*|[A-Z]+(_[A-Z0-9]+)*", field.id)
    assert field.title == field.title.upper() != ""
    assert 1 <= field.width <= 40
    assert field.about[0].isupper()
    assert not field.about.endswith(".")
    assert field.about.isprintable()


def test_every_state_is_a_field_under_its_full_name() -> None:
    for state in ALL_STATES:
        assert FIELDS[state.name].title == state.name
        assert FIELDS[state.name].filter_word == f"state {state.name}"


def test_titles_do_not_repeat_within_a_view() -> None:
    for kind in ViewKind:
        titles = [field.title for field in kind.fields]
        assert len(set(titles)) == len(titles)


@every_kind
def test_a_view_is_made_of_declared_fields_its_key_first(kind: ViewKind) -> None:
    assert all(FIELDS[field.id] is field for field in kind.fields)
    assert kind.key is kind.fields[0]
    assert kind.is_matrix == all(state.name in {field.id for field in kind.fields} for state in DISPLAY_ORDER)


def test_what_people_see_of_a_view_comes_before_what_only_programs_get() -> None:
    """A column that is cut off or scrolled away is the last one that anybody misses."""
    for kind in ViewKind:
        hidden = [field.is_for_programs for field in kind.fields]
        assert hidden == sorted(hidden), kind


@every_kind
def test_the_columns_that_stay_in_sight_are_the_views_first(kind: ViewKind) -> None:
    ids = [field.id for field in kind.fields]
    pinned = ids[: ids.index(kind.last_pinned) + 1]
    assert pinned[0] == kind.key.id
    assert not set(pinned) & {state.name for state in ALL_STATES}
    assert ("total" in pinned) == kind.is_matrix


def test_the_views_that_tell_of_processes_are_those_with_a_field_of_them() -> None:
    others = {ViewKind.STATES, ViewKind.PEERS, ViewKind.PORTS}
    assert {kind for kind in ViewKind if not kind.names_processes} == others


def test_what_is_fetched_only_when_it_is_shown_is_of_connections_alone() -> None:
    with_info = {kind for kind in ViewKind if not INFO_FIELDS.isdisjoint({field.id for field in kind.fields})}
    assert with_info == {ViewKind.CONNECTIONS}
    assert set(FIELDS) >= INFO_FIELDS


def test_a_text_has_no_value_without_its_table() -> None:
    """Nobody must take the number for it."""
    for convert in (TEXT.human, TEXT.plain):
        with pytest.raises(AssertionError):
            convert((1,))


MAPPED = mapped(IPv4Address("10.1.2.3"))
V6 = mapped(IPv6Address("2001:db8::1"))


@pytest.mark.parametrize(
    ("type_", "value", "human", "plain"),
    [
        (COUNT, (1234567,), "1,234,567", 1234567),
        (COUNT, (0,), "0", 0),
        (CHANGE, (1234,), "+1,234", 1234),
        (CHANGE, (-5,), "-5", -5),
        (CHANGE, (0,), "0", 0),
        (NUMBER, (65535,), "65535", 65535),
        (MILLISECONDS, (0,), "-", 0),
        (MILLISECONDS, (4800,), "4.8s", 4800),
        (STATE, (6,), "TIME_WAIT", "TIME_WAIT"),
        (TIMER, (2,), "keepalive", "keepalive"),
        (TIMER, (9,), "9", "9"),
        (ADDRESS, (0, MAPPED), "10.1.2.3", "10.1.2.3"),
        (ADDRESS, (V6 >> 64, V6 & 2**64 - 1), "2001:db8::1", "2001:db8::1"),
        (NETWORK, (0, MAPPED), "10.1.2.3", "10.1.2.3"),
        (NETWORK, (0, MAPPED, 24), "10.1.2.3/24", "10.1.2.3/24"),
        (ENDPOINT, (0, MAPPED, 443), "10.1.2.3:443", "10.1.2.3:443"),
        (ENDPOINT, (V6 >> 64, V6 & 2**64 - 1, 443), "[2001:db8::1]:443", "[2001:db8::1]:443"),
        (ENDPOINT, (0, 0, 22), "[::]:22", "[::]:22"),
        (AGE, (4800, 1), "4.8s", 4800),
        (AGE, (4800, 0), "≥4.8s", 4800),
        (AGE, (0, 0), "≥0ms", 0),
        (MICROSECONDS, (0,), "-", 0),
        (MICROSECONDS, (840,), "840µs", 840),
        (MICROSECONDS, (1000,), "1ms", 1000),
        (MICROSECONDS, (48_251,), "48.3ms", 48_251),
        (MICROSECONDS, (999_499,), "999ms", 999_499),
        (MICROSECONDS, (999_500,), "1.0s", 999_500),
        (MICROSECONDS, (90_000_000,), "1m30s", 90_000_000),
        (OPTIONAL_NUMBER, (812,), "812", 812),
        (OPTIONAL_NUMBER, (0,), "0", 0),
        (OPTIONAL_NUMBER, (NO_NUMBER,), "-", None),
        (USED_OF_LIMIT, (1000, 1024), "1000/1024", 1000),
        (USED_OF_LIMIT, (0, 0), "0/0", 0),
        (USED_OF_LIMIT, (1000, NO_NUMBER), "1000/?", 1000),
        (USED_OF_LIMIT, (NO_NUMBER, NO_NUMBER), "-", None),
    ],
)
def test_values_become_text_for_people_and_plain_values_for_programs(
    type_: FieldType, value: Value, human: str, plain: Json
) -> None:
    assert type_.human(value) == human
    assert type_.plain(value) == plain


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "0ms"),
        (1, "1ms"),
        (999, "999ms"),
        (1000, "1.0s"),
        (4800, "4.8s"),
        (9900, "9.9s"),
        (10_000, "10s"),
        (59_400, "59s"),
        (59_600, "1m00s"),
        (187_000, "3m07s"),
        (3_599_400, "59m59s"),
        (3_599_600, "1h00m"),
        (7_500_000, "2h05m"),
        (90_000_000, "25h00m"),
    ],
)
def test_a_duration_has_the_two_largest_units_that_matter(milliseconds: float, text: str) -> None:
    assert duration_text(milliseconds) == text


@pytest.mark.parametrize(("milliseconds", "text"), [(9960, "10s"), (999.6, "1.0s")])
def test_a_duration_is_rounded_before_its_unit_is_chosen(milliseconds: float, text: str) -> None:
    assert duration_text(milliseconds) == text


_IN_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}


@given(st.integers(0, 2**32 - 1))
def test_a_duration_is_off_by_less_than_its_smaller_unit(milliseconds: int) -> None:
    parts = re.findall(r"([\d.]+)(ms|s|m|h)", duration_text(milliseconds))
    read_back = sum(float(number) * _IN_MS[unit] for number, unit in parts)
    assert abs(read_back - milliseconds) <= _IN_MS[parts[-1][1]]
    assert len(parts) <= 2


@every_kind
def test_every_field_of_a_view_orders_it_both_ways(kind: ViewKind) -> None:
    for field in kind.fields:
        assert parse_sort(field.id, kind) == SortKey(field.id, descending=False)
        assert parse_sort(f"-{field.id}", kind) == SortKey(field.id, descending=True)
        assert parse_sort(field.id.swapcase().replace("_", "-"), kind) == SortKey(field.id, descending=False)


@pytest.mark.parametrize(
    ("typed", "kind", "field_id"),
    [
        ("-time-wait", ViewKind.PEERS, "TIME_WAIT"),
        ("-closewait", ViewKind.PORTS, "CLOSE_WAIT"),
        ("fin-wait-2", ViewKind.LISTENERS, "FIN_WAIT2"),
        ("recv-queue-bytes", ViewKind.CONNECTIONS, "recv_queue_bytes"),
    ],
)
def test_a_sort_key_may_be_spelt_with_hyphens(typed: str, kind: ViewKind, field_id: str) -> None:
    assert parse_sort(typed, kind) == SortKey(field_id, descending=typed.startswith("-"))


@pytest.mark.parametrize("typed", ["estab", "syn-rcvd", "listening"])
def test_a_state_column_goes_by_any_spelling_of_the_state(typed: str) -> None:
    assert parse_sort(typed, ViewKind.PEERS).field_id in {state.name for state in TcpState}


@pytest.mark.parametrize(
    ("typed", "kind", "hint"),
    [
        ("totl", ViewKind.PEERS, "did you mean total?"),
        ("-local_prt", ViewKind.CONNECTIONS, "did you mean local_port?"),
        ("jiffies", ViewKind.PEERS, "known: peer, netns, total, "),
        ("xyzzy", ViewKind.STATES, "known: state, total, "),
        ("", ViewKind.STATES, "known: state, total, "),
    ],
)
def test_a_field_that_a_view_lacks_is_refused(typed: str, kind: ViewKind, hint: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse_sort(typed, kind)
    assert f"the view {kind.value} has no field" in caught.value.message
    assert caught.value.hint.startswith(hint)


@given(st.text(max_size=20), st.sampled_from(ViewKind))
def test_any_text_is_a_sort_key_or_a_printable_refusal(text: str, kind: ViewKind) -> None:
    outcome: SortKey | RequestError
    try:
        outcome = parse_sort(text, kind)
    except RequestError as error:
        outcome = error
    if isinstance(outcome, SortKey):
        assert outcome.field_id in {field.id for field in kind.fields}
    else:
        assert str(outcome).isprintable()


@every_kind
def test_groups_begin_with_the_largest_and_all_else_is_as_it_comes(kind: ViewKind) -> None:
    is_grouped = kind not in (ViewKind.STATES, ViewKind.CONNECTIONS)
    assert default_sort(kind) == (SortKey("total", descending=True) if is_grouped else None)
