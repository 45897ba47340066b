import pytest

from tcptui.model.sample import Destroyed, destroyed_together
from tcptui.model.states import TcpState
from tests.model.random_tables import Socket, table_of


def freed(*numbers: int, is_complete: bool = True) -> Destroyed:
    return Destroyed(
        table_of([Socket(TcpState.CLOSE, cookie=number) for number in numbers]).rows, is_complete=is_complete
    )


@pytest.mark.parametrize(
    ("before", "after", "together"),
    [
        (freed(1, 2), freed(3), freed(1, 2, 3)),
        (freed(), freed(), freed()),
        (freed(1, is_complete=False), freed(3), freed(1, 3, is_complete=False)),
        (freed(1), freed(3, is_complete=False), freed(1, 3, is_complete=False)),
        (None, freed(3), freed(3, is_complete=False)),
        (freed(1), None, None),
    ],
)
def test_the_events_of_two_samples_are_put_together(
    before: Destroyed | None, after: Destroyed | None, together: Destroyed | None
) -> None:
    found = destroyed_together(before, after)
    if found is None or together is None:
        assert found is together
        return
    assert found.rows.tobytes() == together.rows.tobytes()
    assert found.is_complete == together.is_complete
