"""Makes the README's tour, an animated GIF: ``python -m screenshots.tour``.

The steps of ``STEPS``, one after the other in the real screen over a demo scene, each held as long as it takes to read.
Needs what ``screenshots.make`` needs, and the Debian package imagemagick.
"""

from __future__ import annotations

import asyncio
import math
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from screenshots.make import (
    FEEDING_INTERVAL_S,
    FOLDER,
    LARGEST_BYTES,
    PATIENCE_S,
    SAMPLES,
    SHOWN_INTERVAL_S,
    feed,
    missing_packages,
    until_shown,
    write_png,
)
from tcptui.language import tr
from tcptui.monitor.judge import Judge
from tcptui.monitor.presenter import Presenter
from tcptui.monitor.view import View
from tcptui.query.names import Names
from tcptui.sources.demo import DemoSource
from tcptui.tui.app import TcptuiApp
from tcptui.tui.backend import Backend
from tests.support.screens import GatedSource

SIZE = (100, 30)
SCENE = "leak"
GIF = FOLDER / "tour.gif"
LARGEST_GIF_BYTES = 8 * LARGEST_BYTES


@dataclass(frozen=True)
class Step:
    """Keys, the text that is then on the screen, and for how long to show it."""

    keys: tuple[str, ...]
    shows: str
    held_s: float = 2.5
    samples: int = 0
    """Taken after the keys, for what follows something from then on."""


STEPS = (
    Step((), "[1 Peers]", 3.0),
    Step(("2",), "[2 Processes]"),
    Step(("enter",), "[6 Connections]"),
    Step(("slash", *"recvq > 0"), "recvq > 0", 2.0),
    Step(("enter", "enter"), "round trip", 3.0, samples=20),
    Step((*("escape",) * 3, "x"), "Who must act", 3.5),
    Step(("x", "m"), "State machine", 3.5),
    Step(("escape", "c"), "History", 3.0),
    Step(("c", "w"), ".txt", 3.0),
    Step(("escape", "d", "enter"), "refuted by", 4.0),
)


async def frames() -> list[tuple[str, float]]:
    """Each step's screen as an SVG, and for how long it is shown, in seconds."""
    source = GatedSource(DemoSource(SCENE))
    view = View()
    presenter = Presenter(source, view, FEEDING_INTERVAL_S, Judge(glances=False, largest_share=math.inf))
    app = TcptuiApp(lambda: Backend(presenter, view, Names))
    taken = []
    async with app.run_test(size=SIZE) as pilot:
        try:
            await feed(app, source, range(SAMPLES))
            presenter.set_interval(SHOWN_INTERVAL_S)
            await until_shown(pilot, tr("every {interval:.3g}s", interval=SHOWN_INTERVAL_S), PATIENCE_S)
            for step in STEPS:
                await pilot.press(*step.keys)
                if step.samples:
                    source.allow(step.samples)
                taken.append((await until_shown(pilot, step.shows, PATIENCE_S), step.held_s))
        finally:
            source.let_go()
    return taken


def write_gif(pictures: list[tuple[Path, float]], path: Path) -> None:
    """Put pictures together, each shown for its seconds.

    Raises:
        ValueError: the file is too large for a README.
    """
    shown = [word for picture, held_s in pictures for word in ("-delay", str(round(held_s * 100)), str(picture))]
    subprocess.run(["convert", *shown, "-loop", "0", "-layers", "optimize", str(path)], check=True)
    if path.stat().st_size > LARGEST_GIF_BYTES:
        raise ValueError(f"{path.name} has {path.stat().st_size} bytes, more than {LARGEST_GIF_BYTES}")


def main() -> int:
    """Make the tour."""
    missing = missing_packages() + (["imagemagick"] if shutil.which("convert") is None else [])
    if missing:
        print(f"missing: apt-get install {' '.join(missing)}", file=sys.stderr)
        return 3
    os.environ.pop("NO_COLOR", None)
    os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
    os.environ.update(COLUMNS=str(SIZE[0]), LINES=str(SIZE[1]))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # as in ``screenshots.make``
    with tempfile.TemporaryDirectory() as folder:
        pictures = []
        for number, (svg, held_s) in enumerate(asyncio.run(frames())):
            pictures.append((Path(folder) / f"{number:02}.png", held_s))
            write_png(svg, pictures[-1][0])
        write_gif(pictures, GIF)
    print(f"{GIF.name}: {GIF.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
