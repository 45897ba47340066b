"""The tree of errors: one line for a person, one number for a caller."""

import pytest

from tcptui.errors import ExitCode, InternalError, OutputError, RequestError, SourceError, TcptuiError


@pytest.mark.parametrize(
    ("kind", "code"), [(RequestError, 2), (SourceError, 3), (OutputError, 4), (InternalError, 70), (TcptuiError, 2)]
)
def test_each_kind_has_its_exit_code(kind: type[TcptuiError], code: int) -> None:
    assert kind("it is broken").exit_code == code


def test_the_line_is_the_message_and_what_to_do() -> None:
    assert str(RequestError("no such thing", "ask for another")) == "no such thing: ask for another"
    assert str(RequestError("no such thing")) == "no such thing"


def test_a_defect_keeps_its_cause_and_names_the_way_to_report_it() -> None:
    cause = ZeroDivisionError("division by zero")
    error = InternalError.of(cause)
    assert error.__cause__ is cause
    assert "ZeroDivisionError: division by zero" in error.message
    assert "report" in error.hint


def test_success_is_zero() -> None:
    assert ExitCode.OK.value == 0
