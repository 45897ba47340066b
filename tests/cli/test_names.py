"""Names that stand in cli.py, so that nothing is loaded for them, are those defined elsewhere."""

from tcptui import cli
from tcptui.export.formats import Format
from tcptui.model.fields import ViewKind
from tcptui.sources.demo import SCENES


def test_views_are_those_of_the_model() -> None:
    assert list(cli.VIEW_NAMES) == [kind.value for kind in ViewKind]


def test_formats_are_those_that_can_be_written() -> None:
    assert list(cli.FORMAT_NAMES) == [format.value for format in Format]


def test_scenes_are_those_of_the_demo() -> None:
    assert list(cli.SCENE_NAMES) == list(SCENES)


def test_shells_are_those_that_click_knows() -> None:
    from click.shell_completion import get_completion_class

    assert all(get_completion_class(name) for name in cli.SHELL_NAMES)


def test_options_that_take_a_value_are_not_taken_for_commands() -> None:
    """``-N snapshot`` asks for a namespace of that name."""
    group = cli.tcptui
    assert isinstance(group, cli.TcptuiGroup)
    assert group._with_command_first(["-N", "snapshot"]) == ["screen", "-N", "snapshot"]
    assert group._with_command_first(["-o", "explain", "snapshot"]) == ["snapshot", "-o", "explain"]
    assert group._with_command_first(["-4", "snapshot"]) == ["snapshot", "-4"]
    assert group._with_command_first(["--demo=leak", ":443"]) == ["screen", "--demo=leak", ":443"]
