"""What holds for every file of the program and of its tests, found by reading them."""

import ast
import functools
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import tcptui

PROGRAM = Path(tcptui.__file__).parent
TESTS = Path(__file__).parent
ROOT = TESTS.parent

MODULES = sorted(PROGRAM.rglob("*.py"))
TEST_MODULES = sorted(TESTS.rglob("*.py"))

VAGUE_MODULES = {
    *("utils", "util", "helpers", "helper", "common", "misc", "shared", "base_utils"),
    *("manager", "managers", "handler", "handlers", "processor", "functions"),
}
VAGUE_CLASS = re.compile(r"\w*(Manager|Handler|Processor|Helpers?|Utils?)")
WALL_CLOCK = re.compile(r"(datetime\.)?(datetime|date)\.(now|utcnow|today)|time\.(time|time_ns|localtime|gmtime|ctime)")
CLOCK_OR_FILE = re.compile(r"(time|os|socket|subprocess)\.\w+|open|datetime\.now")
SLEEP = re.compile(r"(time|asyncio|anyio|trio)\.sleep")
PATCH = re.compile(r"(monkeypatch\.set(attr|item)|(unittest\.)?mock\.\w+(\.\w+)*|mocker\.\w+)")

MAY_READ_THE_WALL_CLOCK = PROGRAM / "sources"
PURE = (
    "model",
    "analysis",
    "query",
    "explain",
    "diagnosis",
    "export",
    "monitor/frame.py",
    "monitor/view.py",
    "text.py",
)
TEXT_OF_ADDRESSES = {"socket.inet_ntop"}
"""Looks like input or output by its name, and is arithmetic."""
LOOKS_UNTIL_IT_IS_SO = TESTS / "support"
"""The one place where time passes: it looks again and again until the thing is there, or says what was there."""


@functools.cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def place(path: Path, line: int = 1) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


def calls_in(path: Path) -> Iterator[tuple[str, int]]:
    """The dotted name of everything that is called, with its line."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, (ast.Attribute, ast.Name)):
            yield ast.unparse(node.func), node.lineno


def imports_in(path: Path) -> Iterator[tuple[str, int]]:
    """The dotted name of everything that is imported by ``from``, with its line."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ImportFrom):
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def test_there_are_modules_to_look_at() -> None:
    assert len(MODULES) > 40
    assert len(TEST_MODULES) > 40


def test_every_module_says_what_it_is_for() -> None:
    assert [place(path) for path in MODULES if not (ast.get_docstring(tree_of(path)) or "").strip()] == []


def test_every_package_says_what_it_is_for() -> None:
    folders = {path.parent for path in MODULES}
    assert [place(folder) for folder in folders if not (folder / "__init__.py").is_file()] == []
    packages = {each.name for each in pkgutil.walk_packages([str(PROGRAM)], "tcptui.") if each.ispkg}
    assert {"tcptui.model", "tcptui.kernel", "tcptui.monitor", "tcptui.tui"} <= packages
    assert [name for name in packages if not importlib.import_module(name).__doc__] == []


def test_no_module_has_a_name_that_fits_everything() -> None:
    """A name that fits everything attracts everything."""
    named = {
        path: {part.removesuffix(".py").lower() for part in path.relative_to(ROOT).parts}
        for path in (*MODULES, *TEST_MODULES)
    }
    assert [place(path) for path, parts in named.items() if parts & VAGUE_MODULES] == []


def test_no_class_has_a_name_that_fits_everything() -> None:
    assert [
        f"{place(path, node.lineno)} {node.name}"
        for path in (*MODULES, *TEST_MODULES)
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ClassDef) and VAGUE_CLASS.fullmatch(node.name)
    ] == []


def test_the_wall_clock_is_read_where_samples_are_taken_alone() -> None:
    assert [
        f"{place(path, line)} {name}"
        for path in MODULES
        for name, line in calls_in(path)
        if WALL_CLOCK.fullmatch(name) and MAY_READ_THE_WALL_CLOCK not in path.parents
    ] == []


def test_pure_layers_read_no_clock_and_no_file() -> None:
    assert [
        f"{place(path, line)} {name}"
        for path in MODULES
        if str(path.relative_to(PROGRAM)).startswith(PURE)
        for name, line in calls_in(path)
        if CLOCK_OR_FILE.fullmatch(name) and name not in TEXT_OF_ADDRESSES
    ] == []


def test_only_the_command_line_builds_a_source() -> None:
    assert [
        f"{place(path, line)} {name}"
        for path in MODULES
        for name, line in calls_in(path)
        if name in {"DemoSource", "LiveSource", "PortableSource"} and path != PROGRAM / "cli.py"
    ] == []


def test_no_error_is_swallowed_whole() -> None:
    """``except Exception: pass`` and its relatives."""
    too_broad = {None, "Exception", "BaseException"}
    assert [
        place(path, node.lineno)
        for path in MODULES
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ExceptHandler)
        and (ast.unparse(node.type) if node.type else None) in too_broad
        and all(isinstance(each, ast.Pass) for each in node.body)
    ] == []
    assert [
        place(path, node.lineno)
        for path in MODULES
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"suppress", "contextlib.suppress"}
        and too_broad & {ast.unparse(each) for each in node.args}
    ] == []


def test_no_test_sleeps() -> None:
    """A test waits for the thing, never for a time."""
    assert [
        f"{place(path, line)} {name}"
        for path in TEST_MODULES
        for name, line in (*calls_in(path), *imports_in(path))
        if SLEEP.fullmatch(name) and (name.startswith("time") or LOOKS_UNTIL_IT_IS_SO not in path.parents)
    ] == []


def test_no_test_patches_the_program() -> None:
    """Tests enter at the seams of production: bytes, ``Source.sample()``, a view, a message."""
    assert [
        f"{place(path, line)} {name}"
        for path in TEST_MODULES
        for name, line in (*calls_in(path), *imports_in(path))
        if PATCH.fullmatch(name)
    ] == []


@pytest.mark.parametrize(
    ("pattern", "found", "passed"),
    [
        (WALL_CLOCK, ["datetime.now", "datetime.datetime.utcnow", "date.today", "time.time"], ["time.monotonic"]),
        (CLOCK_OR_FILE, ["time.monotonic", "open", "os.stat", "subprocess.run"], ["opened", "timer_text", "np.open"]),
        (SLEEP, ["time.sleep", "asyncio.sleep"], ["sleep_until", "event.wait"]),
        (PATCH, ["monkeypatch.setattr", "mock.patch", "unittest.mock.patch.object"], ["monkeypatch.setenv"]),
        (VAGUE_CLASS, ["Manager", "WindowManager", "TextUtils"], ["Presenter", "Managers"]),
    ],
    ids=["wall clock", "clock or file", "sleep", "patch", "class"],
)
def test_these_rules_find_what_they_look_for(pattern: re.Pattern[str], found: list[str], passed: list[str]) -> None:
    """A rule that can find nothing proves nothing."""
    assert all(pattern.fullmatch(name) for name in found)
    assert not any(pattern.fullmatch(name) for name in passed)
