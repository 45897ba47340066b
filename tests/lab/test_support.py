"""The small helpers: waiting, and what happens where no namespace can be made."""

import pytest

from tests.support.privileges import refuse
from tests.support.waiting import WaitedInVainError, wait_for


def test_waiting_ends_as_soon_as_the_answer_is_right() -> None:
    """And gives the answer back."""
    answers = iter([1, 2, 3, 4])

    assert wait_for(lambda: next(answers), lambda seen: seen == 3, wanted="3") == 3
    assert next(answers) == 4


def test_waiting_in_vain_says_for_what_and_what_was_there() -> None:
    """Without that, a failure in CI cannot be understood."""
    with pytest.raises(WaitedInVainError, match=r"waited 0 s for rain; last seen: 'sun'"):
        wait_for(lambda: "sun", lambda seen: seen == "rain", wanted="rain", seconds=0)


def test_a_live_test_is_skipped_on_a_desk() -> None:
    """With the reason."""
    with pytest.raises(pytest.skip.Exception, match="not root"):
        refuse("not root", {})


def test_a_live_test_fails_in_ci() -> None:
    """A green run in CI means that the live tests ran."""
    with pytest.raises(pytest.fail.Exception, match="not root"):
        refuse("not root", {"CI": "true"})
