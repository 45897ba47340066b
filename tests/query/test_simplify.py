"""Rewritten filters: they mean the same, or hold for more where they must be decided with less."""

from collections.abc import Callable

from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st

from tcptui.model.states import ALL_STATES, TcpState
from tcptui.query.bytecode import kernel_can_tell
from tcptui.query.mask import mask_of
from tcptui.query.simplify import all_of, any_of, by_state, given, negated, replaced, widened
from tcptui.query.ss_command import ss_can_tell
from tcptui.query.syntax import (
    EVERYTHING,
    NOTHING,
    And,
    Constant,
    Expression,
    FamilyTest,
    Not,
    Or,
    StateTest,
    Test,
)
from tcptui.query.syntax import tests_in as parts_that_test
from tests.model.random_tables import Known, Socket
from tests.query.expressions import Written, filters, meaning
from tests.query.placed import known_sample_of, samples

Seen = tuple[list[Socket], Known]

constants = st.sampled_from((EVERYTHING, NOTHING))
constant_written = constants.map(lambda constant: Written("", constant, lambda _socket, _known: constant == EVERYTHING))
operands = st.lists(st.one_of(filters, filters, constant_written), max_size=4)
judges: st.SearchStrategy[Callable[[Test], bool]] = st.one_of(
    st.just(kernel_can_tell),
    st.just(ss_can_tell),
    st.just(lambda _test: False),
    st.just(lambda _test: True),
    st.integers(0, 2**16 - 1).map(lambda bits: lambda test: bool(bits >> len(type(test).__name__) & 1)),
)
"""Who is to decide, and which tests that one can tell: real ones, and any set of kinds."""


def keeps(expression: Expression, seen: Seen) -> list[bool]:
    sample = known_sample_of(*seen)
    return mask_of(expression, sample.table.rows, sample).tolist()


def is_implied(narrow: list[bool], wide: list[bool]) -> bool:
    return all(outer for inner, outer in zip(narrow, wide, strict=True) if inner)


def depends_on(expression: Expression, kinds: tuple[type[Test], ...]) -> bool:
    return any(isinstance(test, kinds) for test in parts_that_test(expression))


# -- Joining keeps the meaning -----------------------------------------------------------------------------------------


@for_any(operands, samples())
def test_all_of_means_and(parts: list[Written], seen: Seen) -> None:
    expected = [all(column) for column in zip(*(meaning(part, *seen) for part in parts), strict=True)]
    found = keeps(all_of(part.tree for part in parts), seen)
    assert found == (expected if parts else [True] * len(seen[0]))


@for_any(operands, samples())
def test_any_of_means_or(parts: list[Written], seen: Seen) -> None:
    expected = [any(column) for column in zip(*(meaning(part, *seen) for part in parts), strict=True)]
    found = keeps(any_of(part.tree for part in parts), seen)
    assert found == (expected if parts else [False] * len(seen[0]))


@for_any(st.one_of(filters, constant_written), samples())
def test_negated_means_not(written: Written, seen: Seen) -> None:
    assert keeps(negated(written.tree), seen) == [not each for each in meaning(written, *seen)]


@for_any(filters, samples())
def test_an_expression_whose_tests_stay_means_the_same(written: Written, seen: Seen) -> None:
    assert keeps(replaced(written.tree, lambda test: test), seen) == meaning(written, *seen)


@for_any(filters, st.frozensets(st.integers(0, 7)), samples())
def test_a_test_may_be_replaced_by_what_it_is_the_same_as(written: Written, chosen: frozenset[int], seen: Seen) -> None:
    """Here by its double negation, its repetition, and itself among constants."""
    position = -1

    def outcome(test: Test) -> Expression:
        nonlocal position
        position += 1
        doubled: Expression = Or((And((test, EVERYTHING)), NOTHING, Not(Not(test))))
        return doubled if position in chosen else test

    assert keeps(replaced(written.tree, outcome), seen) == meaning(written, *seen)


@for_any(filters, st.booleans())
def test_nothing_but_a_constant_is_left_of_constants(written: Written, value: bool) -> None:  # noqa: FBT001
    assert isinstance(replaced(written.tree, lambda _test: Constant(value)), Constant)


def test_what_is_superfluous_is_left_out() -> None:
    a, b = StateTest(frozenset({TcpState.LISTEN})), FamilyTest(4)
    assert all_of([a, EVERYTHING, a, b]) == And((a, b))
    assert all_of([And((a, b)), b]) == And((a, b))
    assert all_of([a, NOTHING]) == NOTHING
    assert all_of([]) == EVERYTHING
    assert all_of([a, a]) == a
    assert any_of([a, NOTHING, a, b]) == Or((a, b))
    assert any_of([a, EVERYTHING]) == EVERYTHING
    assert any_of([]) == NOTHING
    assert any_of([b]) == b
    assert negated(Not(a)) == a
    assert negated(EVERYTHING) == NOTHING


# -- What is left where something is known -----------------------------------------------------------------------------


@settings(max_examples=100)
@for_any(filters, samples())
def test_given_a_state_and_a_family_an_expression_means_the_same_for_such_sockets(written: Written, seen: Seen) -> None:
    for socket, expected in zip(seen[0], meaning(written, *seen), strict=True):
        for family in (None, socket.family):
            left = given(written.tree, socket.state, family)
            assert keeps(left, ([socket], seen[1])) == [expected]


@for_any(filters, st.sampled_from(ALL_STATES), st.sampled_from((4, 6)))
def test_given_a_state_and_a_family_neither_is_asked_again(written: Written, state: TcpState, family: int) -> None:
    assert not depends_on(given(written.tree, state), (StateTest,))
    assert not depends_on(given(written.tree, state, family), (StateTest, FamilyTest))


# -- What someone else can decide --------------------------------------------------------------------------------------


@settings(max_examples=100)
@for_any(filters, judges, samples())
def test_the_wider_expression_holds_wherever_the_expression_does(
    written: Written, can_tell: Callable[[Test], bool], seen: Seen
) -> None:
    wide = widened(written.tree, can_tell)
    assert all(isinstance(test, Constant) or can_tell(test) for test in parts_that_test(wide))
    assert is_implied(meaning(written, *seen), keeps(wide, seen))
    if all(can_tell(test) for test in parts_that_test(written.tree)):
        assert keeps(wide, seen) == meaning(written, *seen)


@settings(max_examples=100)
@for_any(filters, judges, st.sampled_from((None, 4, 6)), st.sampled_from((1, 2, 11)), samples())
def test_asking_state_by_state_loses_no_row(
    written: Written, can_tell: Callable[[Test], bool], family: int | None, most: int, seen: Seen
) -> None:
    found = by_state(written.tree, can_tell, family, most)
    assert len(found) <= most
    assert NOTHING not in found
    states = [state for each in found.values() for state in each]
    assert len(states) == len(set(states))
    kept = _kept(found, seen)
    for socket, expected, is_kept in zip(seen[0], meaning(written, *seen), kept, strict=True):
        if expected and family in (None, socket.family):
            assert is_kept


@settings(max_examples=100)
@for_any(filters, st.sampled_from((None, 4, 6)), samples())
def test_asking_state_by_state_is_exact_where_all_can_be_told(written: Written, family: int | None, seen: Seen) -> None:
    kept = _kept(by_state(written.tree, lambda _test: True, family, most=len(ALL_STATES)), seen)
    for socket, expected, is_kept in zip(seen[0], meaning(written, *seen), kept, strict=True):
        if family in (None, socket.family):
            assert is_kept == expected


def _kept(found: dict[Expression, frozenset[TcpState]], seen: Seen) -> list[bool]:
    answers = {condition: keeps(condition, seen) for condition in found}
    return [
        any(socket.state in states and answers[condition][index] for condition, states in found.items())
        for index, socket in enumerate(seen[0])
    ]
