"""Screens as text files that a reviewer reads in a diff, with a picture beside them when one differs."""

import os
from pathlib import Path

from tests.support.screens import RunningScreen

FOLDER = Path(__file__).parent / "screens"
IS_UPDATING = os.environ.get("TCPTUI_UPDATE_SCREENS") == "1"


def check_screen(running: RunningScreen, name: str, tmp_path: Path) -> None:
    """Compare the screen with the file of that name; ``TCPTUI_UPDATE_SCREENS=1`` writes it instead.

    Raises:
        AssertionError: they differ; a picture of the screen is left in ``tmp_path``.
    """
    file = FOLDER / f"{name}.txt"
    text = running.text + "\n"
    if IS_UPDATING:
        FOLDER.mkdir(exist_ok=True)
        file.write_text(text)
        return
    if text != file.read_text():
        picture = tmp_path / f"{name}.svg"
        picture.write_text(running.app.export_screenshot())
        assert text == file.read_text(), f"the screen differs, see {picture}"
