"""What is loaded for what: start-up cost, and front ends that never meet. Judged by the modules of a new process."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.process import DEADLINE_S, environment

_RUN_AND_LIST = """
import json, sys
from tcptui.cli import main
code = main(sys.argv[1:])
sys.stdout.flush()
packages = sorted({name.partition(".")[0] for name in sys.modules})
print(json.dumps([code, packages, sorted(sys.modules)]), file=sys.stderr)
"""


def modules_after(*arguments: str, **changed: str) -> tuple[set[str], set[str]]:
    """Top-level packages, and all modules, that a run of the program has loaded."""
    done = subprocess.run(
        [sys.executable, "-c", _RUN_AND_LIST, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
        timeout=DEADLINE_S,
        env=environment(**changed),
    )
    code, packages, modules = json.loads(done.stderr.splitlines()[-1])
    assert code == 0, done.stderr
    return set(packages), set(modules)


SERVER_LIBRARIES = {"aiohttp", "aiohttp_jinja2", "jinja2", "textual_serve"}
SCREEN_LIBRARIES = {"textual", "rich", "plotext"} | SERVER_LIBRARIES


@pytest.mark.parametrize(
    "arguments",
    [
        ("snapshot",),
        ("snapshot", ":443", "--view", "peers", "--format", "json"),
        ("snapshot", "--source", "proc", "--view", "ports", "--format", "md"),
        ("snapshot", "--demo", "leak", "--view", "connections", "--limit", "1", "--format", "csv"),
    ],
    ids=" ".join,
)
def test_a_snapshot_loads_nothing_of_the_screen(arguments: tuple[str, ...]) -> None:
    packages, modules = modules_after(*arguments)
    assert not packages & (SCREEN_LIBRARIES | {"psutil", "pyroute2"})
    assert not any(name.startswith(("tcptui.tui", "tcptui.explain")) for name in modules)


@pytest.mark.parametrize("view", ["listeners", "processes", "services", "namespaces", "connections"])
def test_whom_sockets_belong_to_is_told_without_the_screen(view: str) -> None:
    """``psutil`` reads what processes are; nothing else needs it."""
    packages, modules = modules_after("snapshot", "--view", view)
    assert not packages & (SCREEN_LIBRARIES | {"pyroute2"})
    assert not any(name.startswith("tcptui.tui") for name in modules)


def test_a_snapshot_without_a_filter_loads_no_grammar() -> None:
    assert "lark" not in modules_after("snapshot")[0]
    assert "lark" in modules_after("snapshot", ":443")[0]


@pytest.mark.parametrize(
    "arguments", [("snapshot",), ("snapshot", ":443"), ("--help",), ("--explain-filter", "nginx")], ids=" ".join
)
def test_the_configuration_is_not_looked_for_unless_a_saved_filter_is_named(arguments: tuple[str, ...]) -> None:
    packages, modules = modules_after(*arguments)
    assert "platformdirs" not in packages
    assert not any(name.startswith("tcptui.config") for name in modules)


def test_a_saved_filter_needs_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "tcptui").mkdir()
    (tmp_path / "tcptui" / "config.toml").write_text('[filters]\nweb = ":80"\n')
    _, modules = modules_after("snapshot", "@web", XDG_CONFIG_HOME=str(tmp_path))
    assert "tcptui.config.file" in modules


def test_explaining_a_filter_loads_no_source_and_nothing_of_the_screen() -> None:
    packages, modules = modules_after("--explain-filter", "state", "time-wait")
    assert not packages & (SCREEN_LIBRARIES | {"psutil"})
    assert not modules & {"tcptui.sources.live", "tcptui.sources.demo", "tcptui.monitor.presenter"}


@pytest.mark.parametrize(
    "arguments", [("--help",), ("-V",), ("snapshot", "--help"), ("completion", "fish")], ids=" ".join
)
def test_help_and_version_load_no_numbers(arguments: tuple[str, ...]) -> None:
    packages, _ = modules_after(*arguments)
    assert not packages & (SCREEN_LIBRARIES | {"numpy", "lark", "psutil"})


def loaded_by(statement: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{statement}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"],
        capture_output=True,
        text=True,
        check=True,
        timeout=DEADLINE_S,
        env=environment(),
    )
    return {str(name).partition(".")[0] for name in json.loads(done.stdout)}


def test_the_screen_is_painted_before_what_it_shows_is_loaded() -> None:
    packages = loaded_by("import tcptui.tui.app")
    assert "textual" in packages
    assert not packages & ({"numpy", "lark", "psutil", "plotext", "pyroute2"} | SERVER_LIBRARIES)


@pytest.mark.parametrize("module", ["tcptui", "tcptui.cli", "tcptui.errors", "tcptui.text", "tcptui.model.states"])
def test_the_first_modules_of_every_start_are_cheap(module: str) -> None:
    assert not loaded_by(f"import {module}") & {"numpy", "lark", "psutil", "textual", "rich"}


@pytest.mark.parametrize(
    "module",
    ["tcptui.headless.snapshot", "tcptui.export.formats", "tcptui.monitor.presenter", "tcptui.sources.live"],
)
def test_nothing_below_the_screen_knows_its_toolkit(module: str) -> None:
    assert not loaded_by(f"import {module}") & (SCREEN_LIBRARIES | {"click", "psutil"})


_COUNT_THREADS = """
import os
from tcptui.cli import main
main(["snapshot", "--limit", "0", "--format", "csv", "-o", "/dev/null"])
print(len(os.listdir("/proc/self/task")))
"""


def test_numbers_are_counted_by_one_thread() -> None:
    """OpenBLAS would start one for each core, which spin; no matrix is multiplied here."""
    done = subprocess.run(
        [sys.executable, "-c", _COUNT_THREADS],
        capture_output=True,
        text=True,
        check=True,
        timeout=DEADLINE_S,
        env={name: value for name, value in environment().items() if name != "OPENBLAS_NUM_THREADS"},
    )
    assert done.stdout == "1\n"
