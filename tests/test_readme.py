"""The README says what the program says of itself.

What lies between ``<!-- generated: NAME -->`` and ``<!-- end -->`` is made from its one declaration:
``python -m tests.test_readme --write`` makes it anew.
"""

import ast
import inspect
import itertools
import re
import shlex
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import click
import pytest

import tcptui.export.formats
from screenshots.make import LARGEST_BYTES, PICTURES
from tcptui import cli
from tcptui.config.settings import SETTINGS, Setting
from tcptui.diagnosis.rules.catalogue import RULES
from tcptui.diagnosis.thresholds import THRESHOLDS
from tcptui.errors import ExitCode
from tcptui.export.formats import Format, render
from tcptui.model.fields import FIELDS, ViewKind
from tcptui.model.owners import REASONS
from tcptui.model.states import ALL_STATES
from tcptui.monitor.frame import build_frame
from tcptui.monitor.view import View
from tcptui.query.names import Names
from tcptui.query.parse import parse_filter
from tcptui.query.words import WORDS
from tcptui.sources.demo import DemoSource
from tcptui.tui.backend import REASON_LEADS
from tcptui.tui.commands import CHANGE, COMMANDS, LOOK, MOVE, PANEL_KEYS, PROGRAM
from tcptui.tui.detail_lines import UNNAMED
from tcptui.tui.keymap import Keymap

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"

_GENERATED = re.compile(r"(<!-- generated: (?P<name>[a-z ]+) -->\n)(?P<text>.*?)(<!-- end -->\n)", re.DOTALL)
_STATE_NAMES = {state.name for state in ALL_STATES}
EXAMPLE_NAMES = Names(users={"www-data": 33}, interfaces={"eth0": 2}, saved={"web": ":80"})
"""What the README's filters name and not every machine has."""
_COMMANDS = {
    "tcptui": cli.screen,
    "tcptui snapshot": cli.snapshot,
    "tcptui explain": cli.explain,
    "tcptui config": cli.config,
    "tcptui diagnose": cli.diagnose,
}


# -- Generated parts ---------------------------------------------------------------------------------------------------


def table(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    headings = list(headings)
    lines = [headings, ["---"] * len(headings), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def code(text: str) -> str:
    return f"`{text}`"


def keys_part() -> str:
    keymap = Keymap()
    groups = dict.fromkeys((MOVE, LOOK, CHANGE, PROGRAM, *(command.group for command in COMMANDS)))
    rows: list[tuple[str, str]] = []
    for group in groups:
        rows.append((f"**{group}**", ""))
        rows += PANEL_KEYS if group == MOVE else ()
        rows += [(keymap.shown(command.id), keymap.say(command.help)) for command in COMMANDS if command.group == group]
    return table(("key", "what it does"), rows)


def reasons_part() -> str:
    entries = [("NAME", "the process holds the socket"), *REASON_LEADS]
    entries += [(cell, UNNAMED[standing]) for standing, cell in REASONS.items()]
    return table(("in the place of a process", "what it means"), ((code(cell), text) for cell, text in entries))


def views_part() -> str:
    views = table(
        ("view", "columns, the first of which names the row"), ((kind.value, columns(kind)) for kind in ViewKind)
    )
    fields = (
        (code(field.id), field.about, code(field.filter_word) if field.filter_word else "")
        for field in FIELDS.values()
        if field.id not in _STATE_NAMES
    )
    return f"{views}\n{table(('column', 'what it is', 'filter word'), fields)}"


def columns(kind: ViewKind) -> str:
    """A view's columns; the states are one entry."""
    names = [field.id for field in kind.fields]
    states = [name for name in names if name in _STATE_NAMES]
    shown = [f"*one for each of the {len(states)} states*" if name in states else code(name) for name in names]
    return " · ".join(dict.fromkeys(shown))


def formats_part() -> str:
    endings = tcptui.export.formats._ENDINGS
    return table(
        ("`--format`", "file endings"),
        (
            (code(each.value), " ".join(code(ending) for ending, its in endings.items() if its is each))
            for each in Format
        ),
    )


def exit_codes_part() -> str:
    """The members of ``ExitCode`` with the strings below them, which exist in the source only."""
    (body,) = (node.body for node in ast.parse(inspect.getsource(ExitCode)).body if isinstance(node, ast.ClassDef))
    rows = []
    for member, about in itertools.pairwise(body):
        if isinstance(member, ast.Assign) and isinstance(about, ast.Expr) and isinstance(about.value, ast.Constant):
            (name,) = (target.id for target in member.targets if isinstance(target, ast.Name))
            rows.append((str(int(ExitCode[name])), " ".join(str(about.value.value).split())))
    assert len(rows) == len(ExitCode)
    return table(("code", "meaning"), rows)


def json_part() -> str:
    frame = build_frame(View(ViewKind.PEERS), DemoSource("leak").sample())
    command = "tcptui snapshot --demo leak --view peers --limit 1 --format json"
    return f"<details>\n<summary>{command}</summary>\n\n```json\n{render(frame, Format.JSON, 1)}```\n\n</details>\n"


def options_part() -> str:
    """Every option once, with the commands that take it."""
    takers: dict[tuple[str, str], list[str]] = {}
    for name, command in {**_COMMANDS, "": cli.tcptui}.items():
        context = click.Context(command, **cli.tcptui.context_settings)
        for parameter in command.get_params(context):
            record = parameter.get_help_record(context)
            if isinstance(parameter, click.Option) and record is not None and (name or parameter.name == "version"):
                takers.setdefault((record[0], " ".join(record[1].split())), []).append(name or "tcptui")
    return table(
        ("option", "what it does", "with"),
        ((code(option), about, " · ".join(map(code, names))) for (option, about), names in takers.items()),
    )


def settings_part() -> str:
    """Every setting of the configuration."""
    rows = ((code(each.dotted), each.about, default_of(each)) for each in SETTINGS)
    return table(("setting", "what it is", "without it"), rows)


def default_of(setting: Setting) -> str:
    """What holds where the configuration does not speak of a setting."""
    return setting.without or ("none" if setting.is_table else code(setting.kind.written(setting.default)))


def words_part() -> str:
    """The words of the filter language."""
    rows = ((code(word.example), word.about, "yes" if word.is_ss else "") for word in WORDS)
    return table(("write", "to see sockets by", "also in `ss`"), rows)


def rules_part() -> str:
    """What is looked for."""
    rows = ((rule.id, rule.title, code(f"tcptui explain {rule.explain}")) for rule in RULES)
    return table(("rule", "what it finds", "explained by"), rows)


def thresholds_part() -> str:
    """From where on the rules speak."""
    rows = ((code(each.id), f"{each.default:.4g}", each.unit, each.about) for each in THRESHOLDS)
    return table(("threshold", "default", "unit", "what it is"), rows)


PARTS: dict[str, Callable[[], str]] = {
    "keys": keys_part,
    "reasons": reasons_part,
    "views": views_part,
    "formats": formats_part,
    "json": json_part,
    "exit codes": exit_codes_part,
    "options": options_part,
    "filter words": words_part,
    "settings": settings_part,
    "rules": rules_part,
    "thresholds": thresholds_part,
}


def with_parts(text: str) -> str:
    """The README with every generated part made anew."""
    return _GENERATED.sub(lambda found: f"{found[1]}{PARTS[found['name']]()}{found[4]}", text)


@pytest.mark.parametrize("name", PARTS)
def test_a_generated_part_is_what_the_program_declares(name: str) -> None:
    parts = {found["name"]: found["text"] for found in _GENERATED.finditer(README.read_text("utf-8"))}
    assert parts[name] == PARTS[name](), "run python -m tests.test_readme --write"


def test_every_marked_part_is_generated() -> None:
    text = README.read_text("utf-8")
    assert sorted(PARTS) == sorted(found["name"] for found in _GENERATED.finditer(text))
    assert text.count("<!-- generated: ") == len(PARTS)


# -- What is written by hand -------------------------------------------------------------------------------------------


def snippets(text: str) -> list[str]:
    """Everything in the README that stands as code, line by line."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    return [*(line for block in blocks for line in block.splitlines()), *re.findall(r"`([^`\n]+)`", prose)]


def commands(start: str) -> list[str]:
    """The README's command lines that begin with ``start``."""
    found = (snippet.replace("\\|", "|") for snippet in snippets(README.read_text("utf-8")))
    return [snippet for snippet in found if shlex.split(snippet, comments=True)[: len(start.split())] == start.split()]


def test_the_set_up_commands_are_those_that_ci_runs() -> None:
    in_readme = commands("python3 -m venv")
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    in_ci = [found[2] for found in re.finditer(r"^\w+=([\"'])(python3 -m venv .*)\1$", script, re.MULTILINE)]
    assert len(in_readme) == 2
    assert in_readme == in_ci


@pytest.mark.parametrize("line", [*commands("tcptui snapshot"), *commands("tcptui explain")])
def test_a_command_in_the_readme_works(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = shlex.split(line.replace("-N blue ", ""), comments=True)[1:]
    (tmp_path / "notes.txt").write_text("TIME_WAIT 5002\n 101 LAST_ACK 220.160.210.6\n")
    scene = [] if {"--demo", "--from"} & set(arguments) else ["--demo", "leak"]
    assert cli.main([*arguments, *scene]) == ExitCode.OK


@pytest.mark.parametrize(
    "line", [line for line in commands("tcptui") if line.split()[1:2] not in (["snapshot"], ["explain"])]
)
def test_a_command_for_the_screen_is_understood(line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    if words[:1] == ["completion"]:
        assert words[1] in cli.SHELL_NAMES
    elif words[:1] in (["config"], ["diagnose"]):
        cli.tcptui.commands[words[0]].make_context(f"tcptui {words[0]}", words[1:])
    else:
        context = cli.screen.make_context("tcptui", words)
        parse_filter(" ".join(context.params["words"]) or ":1")


def filters() -> list[str]:
    section = README.read_text("utf-8").partition("\n## Filters\n")[2].partition("\n## ")[0]
    cells = [line.split(" | ")[0] for line in section.splitlines() if line.startswith("| `")]
    return [word for cell in cells for word in re.findall(r"`([^`]+)`", cell)]


def test_the_filters_are_found() -> None:
    assert len(filters()) > 10


@pytest.mark.parametrize("text", filters())
def test_a_filter_in_the_readme_is_understood(text: str) -> None:
    parse_filter(text, EXAMPLE_NAMES)


def test_every_option_is_mentioned() -> None:
    text = README.read_text("utf-8")
    for command in _COMMANDS.values():
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert all(name in text for name in parameter.opts), parameter.opts


def test_the_pictures_are_those_that_the_script_makes() -> None:
    shown = re.findall(r"!\[[^\]]+\]\(screenshots/([\w-]+)\.png\)", README.read_text("utf-8"))
    assert shown
    assert set(shown) <= {picture.name for picture in PICTURES}
    for picture in PICTURES:
        assert 0 < (ROOT / "screenshots" / f"{picture.name}.png").stat().st_size <= LARGEST_BYTES


@pytest.mark.parametrize(
    "document", ["README.md", "CHANGELOG.md", ".github/CONTRIBUTING.md", ".github/ARCHITECTURE.md"]
)
def test_links_lead_somewhere(document: str) -> None:
    path = ROOT / document
    for target in re.findall(r"\]\(([^)]+)\)", path.read_text("utf-8")):
        if "://" not in target:
            assert (path.parent / target.partition("#")[0]).exists(), target


def test_every_code_for_what_cannot_be_read_is_explained() -> None:
    source = "\n".join(path.read_text("utf-8") for path in (ROOT / "tcptui").rglob("*.py"))
    in_program = set(re.findall(r"\bDegradation\(\s*\"([a-z_.]+)\"", source))
    assert len(in_program) > 5
    section = README.read_text("utf-8").partition("\n## What it cannot see")[2].partition("\n## ")[0]
    first_cells = " ".join(re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE))
    assert set(re.findall(r"`([a-z_.]+)`", first_cells)) == in_program


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit("python -m tests.test_readme --write")
    README.write_text(with_parts(README.read_text("utf-8")), "utf-8")
