"""The composition root: arguments to settings, source, monitor and front end; errors to exit codes.

The only module that builds a source, and the only one that imports inside functions: what a command does not need is
not loaded for it, and the screen is painted before numpy is.
"""

from __future__ import annotations

import gc
import itertools
import math
import os
import sys
import traceback
from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem, get_completion_class, shell_complete

from tcptui import __version__
from tcptui.errors import ExitCode, InternalError, RequestError, SourceError, TcptuiError, nearest_hint
from tcptui.files import STANDARD_OUTPUT, narrate, write_output
from tcptui.language import LANGUAGES, mark, speak, spoken, tr, users_language
from tcptui.text import cell_count, printable

if TYPE_CHECKING:
    from tcptui.config.settings import Config
    from tcptui.diagnosis.thresholds import Thresholds
    from tcptui.headless.diagnose import Plan
    from tcptui.monitor.view import View
    from tcptui.query.names import Names
    from tcptui.query.syntax import Filter
    from tcptui.sources.base import Source
    from tcptui.sources.pasted.source import PastedSource
    from tcptui.tui.backend import Backend
    from tcptui.tui.preferences import Preferences

# OpenBLAS would start a spinning thread for every core; no matrix is ever multiplied here.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

VIEW_NAMES = ("states", "peers", "processes", "services", "listeners", "ports", "connections", "namespaces")
FORMAT_NAMES = ("table", "text", "csv", "json", "jsonl", "md", "html")
EXPLAIN_FORMAT_NAMES = ("text", "md", "json")
DIAGNOSE_FORMAT_NAMES = ("table", "json", "md")
SEVERITY_NAMES = ("info", "warning", "critical")
SCENE_NAMES = ("calm", "leak", "flood", "timewait", "lastack")
READER_NAMES = ("auto", "netlink", "proc", "psutil")
SHELL_NAMES = ("bash", "zsh", "fish")
ALL_NAMESPACES = "all"
"""Names defined elsewhere too: reading them there would load numpy before the first frame. A test compares."""

COMPLETE_VARIABLE = "_TCPTUI_COMPLETE"

_CONFIGURATION = os.path.join("tcptui", "config.toml")
"""Below the user's folder for configuration, where ``config.file`` has it on Linux."""

_NUMBER_KINDS = (mark("integer range"), mark("float range"))
"""What click says that a number should have been, past its own translations."""

SCENE_FOR_S = 15.0
"""For which ``diagnose`` watches a demo scene: in one of them the trouble begins after some seconds."""

DEFAULT_INTERVAL_S, DEFAULT_VIEW = 1.0, "peers"
"""Of the screen, where neither the command line nor the configuration says another; a test compares."""

SERVED_VARIABLE = "TEXTUAL_DRIVER"
"""Set where the screen is drawn by something else than the terminal: in the processes behind a browser's tabs."""

INTERRUPTED = 128 + 2
"""Exit code after Ctrl-C, as a shell reports SIGINT."""

C = TypeVar("C", bound=Callable[..., Any])


@dataclass(frozen=True)
class Settings:
    """Where to look and how often, from the common options."""

    interval: float | None
    """Seconds; None where the command line does not say."""
    netns: str | None
    ipv4: bool
    ipv6: bool
    reader: str
    demo: str | None
    text_path: str | None = None

    @property
    def other_place(self) -> str:
        """An option that says where to look while a text is to be read; empty if there is none."""
        given = {"-N": self.netns, "--demo": self.demo, "--source": self.reader != "auto", "-4": self.ipv4}
        return next((name for name, value in {**given, "-6": self.ipv6}.items() if value), "")

    @property
    def families(self) -> tuple[int, ...]:
        """4, 6 or both; asking for both or for neither is the same."""
        return tuple(family for family, asked in ((4, self.ipv4), (6, self.ipv6)) if asked) or (4, 6)

    @property
    def place(self) -> tuple[str, ...]:
        """The options that say where to look, for a command of another program."""
        netns = () if self.netns is None else ("-N", self.netns)
        return netns if len(self.families) > 1 else (*netns, f"-{self.families[0]}")


@dataclass(frozen=True)
class Wish:
    """What to show, from the options of a view."""

    words: tuple[str, ...]
    view: str | None
    """None where the command line does not say."""
    sort: str | None
    prefix: int | None
    explain_filter: bool


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; the exit code of ``errors.ExitCode``."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        speak(_language(words))
        exit_code = _run(words)
        _tell_of_language(words)
    except click.exceptions.Exit as request:
        return request.exit_code
    except click.ClickException as error:
        return _fail(_request_error(error))
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        return ExitCode.OK
    except TcptuiError as error:
        return _fail(error)
    except Exception as error:  # noqa: BLE001 - the last place where a defect can become one line
        return _fail(InternalError.of(error))
    return exit_code


def _language(arguments: Sequence[str]) -> str:
    """What to speak, of ``LANGUAGES``: it is known before the arguments are read, since their reading may speak."""
    asked = _option_value(arguments, "--lang")
    return asked if asked in LANGUAGES else _configured_language() or users_language(os.environ)


def _option_value(arguments: Sequence[str], name: str) -> str:
    """The value that ``arguments`` give the option ``name`` last; empty if none."""
    options = list(itertools.takewhile(lambda word: word != "--", arguments))
    value = ""
    for word, following in itertools.zip_longest(options, options[1:], fillvalue=""):
        if word == name:
            value = following
        elif word.startswith(f"{name}="):
            value = word.removeprefix(f"{name}=")
    return value


def _configured_language() -> str:
    """What the configuration file says; empty where there is none, or it is broken: what needs it will say so."""
    if not _may_be_configured():
        return ""
    from tcptui.config.file import configured_language

    return configured_language()


def _tell_of_language(arguments: Sequence[str]) -> None:
    """Say that the configured language is not one that is spoken, where it would have been."""
    if COMPLETE_VARIABLE in os.environ or _option_value(arguments, "--lang") or not _may_be_configured():
        return
    from tcptui.config.file import load_config
    from tcptui.config.settings import UnknownLanguageError

    try:
        load_config()
    except UnknownLanguageError as error:
        narrate(printable(str(error)))
    except TcptuiError:
        pass  # it says nothing of the language, and who uses it will tell


def _may_be_configured() -> bool:
    """Whether there is a configuration file, as far as that can be told without loading what finds and reads it."""
    if not sys.platform.startswith("linux") or "SUDO_UID" in os.environ:
        return True
    folder = os.environ.get("XDG_CONFIG_HOME", "")
    return os.path.isfile(os.path.join(folder if folder.strip() else os.path.expanduser("~/.config"), _CONFIGURATION))


def _run(arguments: list[str]) -> int:
    """What click's own ``main`` does, but for its handling of errors, which ends the process its own way."""
    instruction = os.environ.get(COMPLETE_VARIABLE)
    if instruction is not None:
        return shell_complete(tcptui, {}, "tcptui", COMPLETE_VARIABLE, instruction)
    with tcptui.make_context("tcptui", arguments, obj=tuple(arguments)) as context:
        return tcptui.invoke(context) or ExitCode.OK


def _request_error(error: click.ClickException) -> RequestError:
    """Click's message as one line."""
    context = getattr(error, "ctx", None)
    message = " ".join(error.format_message().split()).rstrip(".")
    for kind in _NUMBER_KINDS:
        message = message.replace(kind, tr(kind))
    command = context.command_path.removesuffix(f" {screen.name}") if context else "tcptui"
    return RequestError(message[:1].lower() + message[1:], tr("see {command} --help", command=command))


def _fail(error: TcptuiError) -> int:
    if os.environ.get("TCPTUI_TRACEBACK"):
        traceback.print_exception(error)
    narrate(printable(str(error)), *error.excerpt)
    return error.exit_code


def _show_and_leave(context: click.Context, text: str) -> None:
    """Write what was asked for instead of running a command."""
    write_output(STANDARD_OUTPUT, text, overwrite=False)
    context.exit()


def _show_help(context: click.Context, _parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001
    if value and not context.resilient_parsing:
        _show_and_leave(context, context.get_help() + "\n")


def _show_version(context: click.Context, _parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001
    if value and not context.resilient_parsing:
        _show_and_leave(context, f"tcptui {__version__}\n")


class _WideFormatter(click.HelpFormatter):
    """Help in a language whose characters take two cells, and between which a line may end."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, args, tr("Usage:") if prefix is None else prefix)

    def write_heading(self, heading: str) -> None:
        self.write(" " * self.current_indent + tr("{heading}:", heading=heading) + "\n")

    def write_text(self, text: str) -> None:
        from tcptui.wrapping import wrap

        indent = " " * self.current_indent
        paragraphs = (wrap(indent + paragraph, self.width, hanging=indent) for paragraph in text.split("\n\n"))
        self.write("\n\n".join("\n".join(lines) for lines in paragraphs) + "\n")

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        from tcptui.wrapping import wrap

        records = list(rows)
        column = min(max(cell_count(term) for term, _ in records), col_max) + col_spacing
        indent = " " * self.current_indent
        for term, about in records:
            first, *others = wrap(about, self.width - column - 2)
            is_beside = cell_count(term) + col_spacing <= column
            lead = term + " " * (column - cell_count(term)) if is_beside else f"{term}\n{indent}{' ' * column}"
            self.write(f"{indent}{lead}{first}\n")
            for line in others:
                self.write(f"{indent}{' ' * column}{line}\n")


def _said(help: str | None) -> str:
    """The help of an option or command, which is a message."""
    return tr(help, views=tr(", ").join(VIEW_NAMES)) if help else ""


class TcptuiOption(click.Option):
    """An option whose help and whose value's name are messages."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        record = super().get_help_record(ctx)
        if record is None or not self.help:
            return record
        return record[0], record[1].replace(self.help, _said(self.help), 1)

    def make_metavar(self, ctx: click.Context) -> str:
        return tr(super().make_metavar(ctx))


class TcptuiCommand(click.Command):
    """A command whose help is a message, and goes the way of all output, so that a full disk is told as always."""

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        option = super().get_help_option(ctx)
        if option is not None:
            option.callback = _show_help
            option.help = tr("Show this message and exit.")
        return option

    def get_help(self, ctx: click.Context) -> str:
        if spoken() == "en":
            return super().get_help(ctx)
        formatter = _WideFormatter(width=ctx.terminal_width, max_width=ctx.max_content_width)
        self.format_help(ctx, formatter)
        return formatter.getvalue().rstrip("\n")

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return [tr(piece) for piece in super().collect_usage_pieces(ctx)]

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(_said(self.help))

    def get_short_help_str(self, limit: int = 45) -> str:
        return _said(self.short_help) or super().get_short_help_str(limit)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        items = super().shell_complete(ctx, incomplete)
        for item in items:
            item.help = _said(item.help) or None
        return items


def _option_record(parameter: click.Parameter, context: click.Context) -> tuple[str, str] | None:
    """An option's line of help; arguments are explained by the text above."""
    return parameter.get_help_record(context) if isinstance(parameter, click.Option) else None


class TcptuiGroup(TcptuiCommand, click.Group):
    """Sub-commands, and a filter for the screen where no sub-command is named."""

    command_class = TcptuiCommand

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if ctx.resilient_parsing and not args:  # a shell asks what may come first
            return super().parse_args(ctx, args)
        return super().parse_args(ctx, self._with_command_first(_with_scene(args)))

    def _with_command_first(self, args: list[str]) -> list[str]:
        """``-N blue snapshot`` as ``snapshot -N blue``; without a command's name it is the screen's."""
        help_names = self.context_settings["help_option_names"]
        if args and args[0] in help_names:
            return args
        for index, word in enumerate(args):
            if word in self.commands and not (index and args[index - 1] in self._options_with_values()):
                return [word, *args[:index], *args[index + 1 :]]
        if args and args[-1] in help_names and "--" not in args:
            return args[-1:]
        return [screen.name or "", *args]

    def _options_with_values(self) -> set[str]:
        """Every option of any command behind which a word is its value."""
        parameters = [each for command in self.commands.values() for each in command.params]
        options = [each for each in parameters if isinstance(each, click.Option) and not each.is_flag]
        return {name for option in options for name in option.opts}

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        records = [record for each in screen.get_params(ctx) if (record := _option_record(each, ctx))]
        with formatter.section(tr("Options")):
            formatter.write_dl(records)
        self.format_commands(ctx, formatter)
        from tcptui.query.words import WORDS

        with formatter.section(tr("Filter words")):
            formatter.write_dl([(word.example, tr(word.about)) for word in WORDS])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        words = [CompletionItem(word) for word in _filter_words(incomplete)]
        return [*super().shell_complete(ctx, incomplete), *screen.shell_complete(ctx, incomplete), *words]


def _with_scene(args: list[str]) -> list[str]:
    """``--demo`` alone means the calm scene, also where a filter follows."""
    return [
        "--demo=calm" if word == "--demo" and (following not in SCENE_NAMES) else word
        for word, following in itertools.zip_longest(args, args[1:], fillvalue="")
    ]


def _checked_interval(_context: click.Context, _parameter: click.Parameter, value: float | None) -> float | None:
    if value is not None and not math.isfinite(value):
        raise click.BadParameter(tr("{value} is not a time", value=value))
    return value


def _complete_filter(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    return _filter_words(incomplete)


def _filter_words(incomplete: str) -> list[str]:
    """Words of the filter language, states and saved filters that begin so; none for an option."""
    from tcptui.query.words import FILTER_WORDS, STATE_WORDS

    saved = _saved_names() if incomplete.startswith("@") else []
    words = (*FILTER_WORDS, *STATE_WORDS.values(), *saved)
    return [word for word in words if word.lower().startswith(incomplete.lower())]


def _saved_names() -> list[str]:
    """The saved filters as they are written in a filter; none where the configuration is broken.

    The command will say so: a message in the middle of what somebody types helps nobody.
    """
    try:
        return [f"@{name}" for name in _saved_filters()]
    except TcptuiError:
        return []


def _saved_filters() -> Mapping[str, str]:
    from tcptui.config.file import load_config

    return load_config().filters


def _complete_topic(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    from tcptui.explain.topics import complete_topic

    return complete_topic(incomplete)


def _applied(decorators: Iterable[Callable[[C], C]]) -> Callable[[C], C]:
    """One decorator for many; the first one's option is listed first."""

    def decorate(command: C) -> C:
        for decorator in reversed(list(decorators)):
            command = decorator(command)
        return command

    return decorate


_option = partial(click.option, cls=TcptuiOption)

_language_option = _option(
    "--lang",
    type=click.Choice(LANGUAGES),
    expose_value=False,
    help=mark("Language: en or zh; otherwise config.toml, then the locale."),
)
"""Looked for by ``main`` before anything is said."""

_source_options = _applied(
    [
        _option(
            *("-N", "--netns"),
            metavar=mark("NAME|PID|PATH|all"),
            help=mark("Network namespace to look at, or all of them."),
        ),
        _option("-4", "--ipv4", is_flag=True, help=mark("IPv4 only.")),
        _option("-6", "--ipv6", is_flag=True, help=mark("IPv6 only.")),
        _option(
            *("--source", "reader"),
            type=click.Choice(READER_NAMES),
            default="auto",
            show_default=True,
            help=mark("Where to read the sockets; auto is the best that works."),
        ),
        _option("--demo", type=click.Choice(SCENE_NAMES), help=mark("A made-up machine instead of this one.")),
        _option(
            *("-i", "--interval"),
            type=click.FloatRange(0.2, 3600),
            callback=_checked_interval,
            metavar=mark("SECONDS"),
            help=mark("Time between samples, 0.2 to 3600; otherwise config.toml, then 1."),
        ),
        _language_option,
        _option(
            *("-V", "--version"),
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_show_version,
            help=mark("Show the version and exit."),
        ),
    ]
)


def _checked_theme(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str:
    if not value:
        return ""
    from tcptui.tui.preferences import checked_theme

    return checked_theme(value)


def _complete_theme(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    from tcptui.tui.preferences import THEME_NAMES

    return [name for name in THEME_NAMES if name.startswith(incomplete)]


_look_options = _applied(
    [
        _option(
            "--theme",
            metavar=mark("NAME"),
            callback=_checked_theme,
            shell_complete=_complete_theme,
            help=mark("Colours; otherwise config.toml, then those chosen on the screen last, then tcptui-dark."),
        ),
        _option(
            "--ascii/--no-ascii",
            default=None,
            help=mark(
                "Draw with ASCII characters alone, or not; otherwise config.toml, then as the terminal needs it."
            ),
        ),
    ]
)


_text_option = _option(
    *("--from", "text_path"),
    type=click.Path(allow_dash=True),
    metavar=mark("FILE|-"),
    help=mark("Text of ss, netstat, /proc/net/tcp or STATE COUNT lines instead of this machine; - is standard input."),
)


def _view_options(default_view: str | None, view_help: str = mark("What a row is: {views}.")) -> Callable[[C], C]:
    return _applied(
        [
            click.argument("words", nargs=-1, metavar=mark("[FILTER]..."), shell_complete=_complete_filter),
            _option(
                "--view",
                type=click.Choice(VIEW_NAMES),
                metavar=mark("VIEW"),
                default=default_view,
                show_default=True,
                help=view_help,
            ),
            _option("--sort", metavar=mark("FIELD"), help=mark("Field to order by; -FIELD from the largest.")),
            _option(
                "--prefix",
                type=click.IntRange(1, 128),
                metavar=mark("BITS"),
                help=mark("Peers by network: up to 32 for IPv4 (IPv6 by /64), above for IPv6."),
            ),
            _option(
                "--explain-filter",
                is_flag=True,
                help=mark("Say how FILTER is understood, what of it the kernel decides, and the nearest ss command."),
            ),
        ]
    )


@click.group(
    cls=TcptuiGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    subcommand_metavar=mark("[FILTER]... | COMMAND [ARGS]..."),
    help=mark(
        "TCP connections by state, live: who the peers are, what the kernel will do with them, which parameter governs "
        "it.\n\n"
        "FILTER narrows what is shown. What ss(8) takes means the same here, and beyond that 443 is a port, 10.1.2.3 "
        "or 10.0.0.0/8 an address, time-wait a state, nginx a process, @web a saved filter. Words are joined, so "
        "quoting is rarely needed, and --explain-filter tells what was understood."
    ),
)
def tcptui() -> None:
    """The command line as a whole."""


@tcptui.command(hidden=True, help=mark("The live screen."))
@_view_options(None, mark("What a row is: {views}; otherwise config.toml, then peers."))
@_look_options
@_option(
    "--web",
    metavar=mark("[HOST:]PORT"),
    help=mark("Show the screen in a browser: on this machine alone without HOST, at any free port with 0."),
)
@_text_option
@_source_options
@click.pass_obj
def screen(
    typed: Sequence[str],
    /,
    web: str | None,
    theme: str,
    ascii: bool | None,  # noqa: FBT001 - click hands flags over by name
    **options: Any,
) -> int:
    """The live screen."""
    settings, asked = _settings_and_wish(options)
    if asked.explain_filter:
        return _explain_filter(asked, settings)
    is_served = SERVED_VARIABLE in os.environ
    text_file = _opened_text(settings) if web is None or is_served else None
    if web is None and not is_served:
        _refuse_without_terminal(takes_keyboard=settings.text_path == "-")
    config = _screens_config()
    if is_served and ascii is None and (config is None or config.ascii is None):
        ascii = False  # TERM and the locale are those of the server, and a browser draws everything
    wanted = _preferences(config, theme, ascii)
    if config is not None:
        asked = replace(asked, view=asked.view or _configured_view(config))
        settings = replace(settings, interval=settings.interval or config.interval)
    known_view = None
    if text_file is None and (asked.words or asked.sort or settings.demo or settings.netns):
        known_view = _view(asked, settings)
        _check_namespace(settings)
    if web is not None and not is_served:
        _refuse_text_for_one(settings)
        return _serve(web, typed)

    thresholds = _thresholds(config)

    def start() -> Backend:
        from tcptui.explain.topics import parameter_names
        from tcptui.monitor.judge import Judge
        from tcptui.monitor.presenter import Presenter
        from tcptui.tui.backend import Backend

        text = _text_source(settings, text_file)
        view = known_view or _view(asked, settings, text)
        source = text or _open_source(settings, parameter_names(), is_live=True)
        interval_s = settings.interval or DEFAULT_INTERVAL_S
        names = partial(_names, settings, with_saved=True, text=text)
        # The clock of a scene is the number of samples, and a text stands still.
        judge = Judge(thresholds, glances=text is None and settings.demo is None)
        backend = Backend(Presenter(source, view, interval_s, judge), view, names)
        gc.freeze()
        gc.set_threshold(20_000, 20, 20)  # so many objects come and go with each sample, and next to none in a circle
        gc.enable()
        return backend

    # What is loaded now stays: to look for garbage in it takes a tenth of the time until the first sample is shown.
    gc.disable()
    from tcptui.config.remembered import Remembered, state_path
    from tcptui.tui.app import TcptuiApp

    # A key waits at most this long for a thread that computes.
    sys.setswitchinterval(0.0005)
    app = TcptuiApp(start, Remembered(state_path()), wanted)
    app.run(mouse=config is None or config.mouse)
    if app.failure is not None:
        raise app.failure
    return app.return_code or ExitCode.OK


def _screens_config() -> Config | None:
    """What the configuration says, None where there is none.

    One that cannot be read keeps nobody from looking, and is told on the screen.
    """
    if not _may_be_configured():
        return None
    from tcptui.config.file import load_config

    try:
        return load_config()
    except SourceError:
        return None


def _preferences(config: Config | None, theme: str = "", ascii: bool | None = None) -> Preferences:  # noqa: FBT001
    """What the screen is to be like; numpy comes along only where columns are configured."""
    from tcptui.tui.preferences import preferences, unconfigured

    if config is None:
        return unconfigured(theme=theme, ascii=ascii)
    if not config.columns:
        return preferences(config, {}, theme=theme, ascii=ascii)
    from tcptui.tui.column_choice import chosen_columns

    return preferences(config, chosen_columns(config), theme=theme, ascii=ascii)


def _configured_view(config: Config) -> str:
    if config.view not in VIEW_NAMES:
        problem = tr("there is no view '{name}'", name=printable(config.view[:40]))
        raise config.problem(("view",), problem, nearest_hint(config.view, VIEW_NAMES))
    return config.view


def _refuse_text_for_one(settings: Settings) -> None:
    """Say that a text cannot be shown in a browser, where it can be read once only or not at all."""
    if settings.text_path == "-":
        raise RequestError(tr("--web and --from - do not go together"), tr("each tab reads the text anew: name a file"))
    file = _opened_text(settings)
    if file is not None:
        file.close()


def _serve(place: str, words: Sequence[str]) -> int:
    """Show the screen in browsers, each by a process with the same ``words``."""
    from tcptui.web.address import parse_place

    asked = parse_place(place)
    if find_spec("textual_serve") is None:
        problem = tr("a browser needs {package}, which is not installed", package="textual-serve")
        raise RequestError(problem, tr("install it beside tcptui: {command}", command="pip install textual-serve"))
    from tcptui.web.server import serve

    return serve(asked, words)


def _refuse_without_terminal(*, takes_keyboard: bool = False) -> None:
    """Say that there is no screen to be had; ``takes_keyboard`` gets one whose standard input is a text its keys."""
    problem, advice = tr("the screen needs a terminal"), tr("for a file or a pipe use tcptui snapshot")
    streams = (sys.stdout, sys.stderr) if takes_keyboard else (sys.stdin, sys.stdout, sys.stderr)
    if not all(stream is not None and stream.isatty() for stream in streams):
        raise RequestError(problem, advice)
    if os.environ.get("TERM", "dumb") == "dumb":
        problem = tr("this terminal cannot place a cursor (TERM is dumb)")
        raise RequestError(problem, tr("use tcptui snapshot, or set TERM"))
    if takes_keyboard:
        from tcptui.tui.terminal import take_keyboard

        try:
            take_keyboard()
        except OSError as error:
            raise RequestError(problem, advice) from error


def _check_namespace(settings: Settings) -> None:
    """Say that a namespace does not exist while there is no screen to tear down."""
    from tcptui.kernel.namespaces import namespace_path

    if settings.netns not in (None, ALL_NAMESPACES):
        namespace_path(settings.netns)


def _settings_and_wish(options: dict[str, Any]) -> tuple[Settings, Wish]:
    """The common options, and those of a view."""
    asked = Wish(**{name: options.pop(name) for name in ("words", "view", "sort", "prefix", "explain_filter")})
    return Settings(**options), asked


def _opened_text(settings: Settings) -> BinaryIO | None:
    """The text to read in place of a machine, None where none is named."""
    if settings.text_path is None:
        return None
    if settings.other_place:
        problem = tr("--from and {option} are two sources", option=settings.other_place)
        raise RequestError(problem, tr("leave out one of them; a filter keeps to a part of a text"))
    from tcptui.sources.pasted.opening import open_text

    return open_text(settings.text_path)


def _text_source(settings: Settings, file: BinaryIO | None) -> PastedSource | None:
    """The source that ``file`` is, None without one."""
    if file is None or settings.text_path is None:
        return None
    from tcptui.sources.pasted.source import PastedSource

    return PastedSource(file, settings.text_path)


def _view(asked: Wish, settings: Settings, text: PastedSource | None = None) -> View:
    from tcptui.model.fields import ViewKind, parse_sort
    from tcptui.monitor.view import View

    kind = ViewKind(asked.view or DEFAULT_VIEW)
    return View(
        kind, _filter(asked, settings, text), parse_sort(asked.sort, kind) if asked.sort else None, asked.prefix
    )


def _filter(asked: Wish, settings: Settings, source: PastedSource | None = None) -> Filter | None:
    if not asked.words:
        return None
    from tcptui.query.parse import parse_filter

    text = " ".join(asked.words)
    return parse_filter(text, _names(settings, with_saved="@" in text, text=source))


def _names(settings: Settings, *, with_saved: bool, text: PastedSource | None = None) -> Names:
    """What the names in a filter stand for; a configuration that cannot be read keeps nobody from looking.

    Those of hosts in a text come before this machine's own.
    """
    from tcptui.sources.names import machine_names

    if text is not None:
        named = _names(settings, with_saved=with_saved)
        return replace(named, hosts=ChainMap(dict(text.hosts), named.hosts))  # type: ignore[arg-type] # only read
    if not with_saved:
        return machine_names(settings.netns)
    from tcptui.config.file import config_path

    saved: Mapping[str, str] = {}
    problem = ""
    try:
        saved = _saved_filters()
    except TcptuiError as error:
        problem = str(error)
    names = machine_names(settings.netns, saved=saved)
    return replace(names, saved_in=printable(config_path()), saved_problem=problem)


def _explain_filter(asked: Wish, settings: Settings) -> int:
    """Write how the filter is understood."""
    from tcptui.query.understanding import to_text, understanding

    filter = _filter(asked, settings)
    if filter is None:
        hint = tr("write one, such as tcptui :443 --explain-filter")
        raise RequestError(tr("there is no filter to explain"), hint)
    selects = settings.demo is None and settings.reader in ("auto", "netlink")
    text = to_text(understanding(filter, settings.place, settings.families, selects=selects))
    write_output(STANDARD_OUTPUT, text, overwrite=False)
    return ExitCode.OK


def _open_source(settings: Settings, parameters: Iterable[str], *, is_live: bool = False) -> Source:
    """The source that the settings ask for; ``is_live`` if it is to be watched for longer."""
    if settings.demo is not None:
        from tcptui.sources.demo import DemoSource

        return DemoSource(settings.demo)
    if settings.reader == "psutil" or (settings.reader == "auto" and not sys.platform.startswith("linux")):
        if settings.netns is not None:
            raise RequestError(tr("psutil sees one network namespace only"), tr("leave out -N or --source psutil"))
        from tcptui.sources.portable import PortableSource

        return PortableSource(settings.families)
    from tcptui.sources.live import LiveSource

    if is_live:
        from tcptui.kernel.allocation import give_back_large_memory

        give_back_large_memory()
    return LiveSource(
        netns=settings.netns,
        families=settings.families,
        reader=settings.reader,
        parameters=parameters,
        destroyed=is_live,
    )


@tcptui.command(
    short_help=mark("Write one sample to standard output or a file."),
    help=mark("Write one sample to standard output or a file."),
)
@_view_options("states")
@_option(
    *("--format", "format_name"),
    type=click.Choice(FORMAT_NAMES),
    help=mark("Default: by FILE's ending, else table."),
)
@_option("--limit", type=click.IntRange(0), metavar="N", help=mark("At most N rows."))
@_option(
    *("-o", "--output"),
    default="-",
    metavar=mark("FILE"),
    help=mark("File to write, whole or not at all; - is standard output."),
)
@_option("--force", is_flag=True, help=mark("Overwrite FILE."))
@_text_option
@_source_options
def snapshot(format_name: str | None, limit: int | None, output: str, force: bool, **options: Any) -> int:  # noqa: FBT001 - click hands flags over by name
    """Write one sample to standard output or a file."""
    from tcptui.export.formats import Format, format_of_path
    from tcptui.headless.snapshot import write_snapshot

    settings, asked = _settings_and_wish(options)
    if asked.explain_filter:
        return _explain_filter(asked, settings)
    text = _text_source(settings, _opened_text(settings))
    view = _view(asked, settings, text)
    by_name = Format(format_name) if format_name else None
    format = by_name or (Format.TABLE if output == "-" else format_of_path(output))
    source = text or _open_source(settings, ())
    write_snapshot(source, view, format=format, limit=limit, path=output, overwrite=force)
    return ExitCode.OK


@tcptui.command(
    short_help=mark("Explain a TCP state, a kernel parameter, a counter …"),
    help=mark(
        "Explain a TCP state, kernel parameter, counter, socket option or column, with this machine's live values.\n\n"
        "TOPIC can also be machine (the states and the moves between them), parameters (what is changed here, and what "
        "is set on disk and does not run) or myths (what is often said and not true). Without TOPIC: all that can be "
        "asked."
    ),
)
@click.argument("topic", required=False, metavar=mark("[TOPIC]"), shell_complete=_complete_topic)
@_option("--format", "format_name", type=click.Choice(EXPLAIN_FORMAT_NAMES), default="text", show_default=True)
@_source_options
def explain(topic: str | None, format_name: str, **common: Any) -> None:
    """Write what there is to say about a topic."""
    settings = Settings(**common)
    if settings.netns == ALL_NAMESPACES:
        raise RequestError(tr("an explanation has the values of one network namespace"), tr("name it behind -N"))
    from tcptui.explain.topics import find_topic

    name = None if topic is None else find_topic(topic)
    if name == "machine":
        from tcptui.headless.machine import write_machine

        write_machine(_open_source(settings, (), is_live=True), format_name, settings.interval or DEFAULT_INTERVAL_S)
        return
    from tcptui.headless.explain import write_explanation

    write_explanation(name, format_name, lambda names: _open_source(settings, names))


class DiagnoseCommand(TcptuiCommand):
    """A command whose help ends with how to collect text elsewhere."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section(tr("Text for --from, from a box where nothing can be installed")):
            formatter.write_dl([(line, tr(about)) for line, about in COLLECTING])


COLLECTING = (
    ("ss -tanoeip", mark("The most that text can tell; as root, so that every process is named.")),
    ("netstat -anpo", mark("Where there is no ss: no backlogs, and how long nothing was heard is not told.")),
    ("cat /proc/net/tcp /proc/net/tcp6", mark("Where there is neither: no processes and no backlogs.")),
    ("ssh BOX ss -tanoeip | tcptui diagnose --from -", mark("The same in one go, judged here.")),
    ("netstat -ant | awk '{print $6}' | sort | uniq -c", mark("Counts alone: what they fit is possible, no more.")),
)
"""Commands that collect text, the best first, and what each of them can tell."""


@tcptui.command(
    cls=DiagnoseCommand,
    short_help=mark("Say what is wrong here, with the evidence."),
    help=mark(
        "Say what is wrong here, with the evidence, what to do first and what will not help.\n\n"
        "FILTER leaves the sockets that are judged. The exit code is 1 where something was found at the level of "
        "--fail-on or above, and 0 otherwise."
    ),
)
@click.argument("words", nargs=-1, metavar=mark("[FILTER]..."), shell_complete=_complete_filter)
@_option(
    *("--for", "for_s"),
    type=click.FloatRange(0, 86400),
    default=5.0,
    show_default=True,
    callback=_checked_interval,
    metavar=mark("SECONDS"),
    help=mark("Time to watch; what rises or stands still takes 30 or more to tell."),
)
@_option(
    *("--format", "format_name"),
    type=click.Choice(DIAGNOSE_FORMAT_NAMES),
    default="table",
    show_default=True,
    help=mark("Text, JSON for programs, or Markdown for a ticket."),
)
@_option(
    "--fail-on",
    type=click.Choice(SEVERITY_NAMES),
    default="warning",
    show_default=True,
    help=mark("From which level on the exit code is 1."),
)
@_text_option
@_source_options
def diagnose(words: tuple[str, ...], for_s: float, format_name: str, fail_on: str, **common: Any) -> int:
    """Write what the rules find."""
    settings = Settings(**common)
    text = _text_source(settings, _opened_text(settings))
    filter = _filter(Wish(words, "states", None, None, explain_filter=False), settings, text)
    from tcptui.diagnosis.finding import Severity
    from tcptui.explain.topics import parameter_names
    from tcptui.headless.diagnose import Plan, write_diagnosis

    plan = Plan(for_s, settings.interval or DEFAULT_INTERVAL_S)
    if settings.demo is not None:
        plan = _plan_of_scene(plan)
    return write_diagnosis(
        text or _open_source(settings, parameter_names()),
        filter,
        plan,
        format_name=format_name,
        fail_on=Severity[fail_on.upper()],
        thresholds=_thresholds(_whole_config()),
    )


def _whole_config() -> Config | None:
    """What the configuration says, None where there is none; one that cannot be read is an error."""
    if not _may_be_configured():
        return None
    from tcptui.config.file import load_config

    return load_config()


def _plan_of_scene(plan: Plan) -> Plan:
    """Without rests, for a scene's clock is the number of samples; and for long enough to see what it is about."""
    is_said = click.get_current_context().get_parameter_source("for_s") is not ParameterSource.DEFAULT
    return plan._replace(for_s=plan.for_s if is_said else SCENE_FOR_S, glances=0, pause=lambda _seconds: None)


def _thresholds(config: Config | None) -> Thresholds:
    """The numbers that rules go by, with those that the configuration sets."""
    from tcptui.diagnosis.thresholds import DEFAULTS, UnfitThresholdError, thresholds_of

    if config is None:
        return DEFAULTS
    try:
        return thresholds_of(config.diagnosis)
    except UnfitThresholdError as error:
        raise config.problem(("diagnosis", *error.threshold.split(".")), error.message, error.hint) from error


@tcptui.command(
    short_help=mark("Print the configuration as it holds, with what each setting means."),
    help=mark(
        "Print the configuration as it holds: each setting with what it means and where its value comes from, as a "
        "config.toml to be saved and changed."
    ),
)
@_option("--path", "asks_path", is_flag=True, help=mark("Print where the file is or would be, and nothing else."))
@_option("--default", "asks_default", is_flag=True, help=mark("Print what holds where nothing is configured."))
@_language_option
def config(asks_path: bool, asks_default: bool) -> None:  # noqa: FBT001 - click hands flags over by name
    """Print the configuration."""
    from tcptui.config.file import config_path, load_config

    if asks_path:
        write_output(STANDARD_OUTPUT, printable(config_path()) + "\n", overwrite=False)
        return
    from tcptui.config.printing import config_text
    from tcptui.config.remembered import Remembered, state_path
    from tcptui.config.settings import Config
    from tcptui.tui.configurable import found_outside, usual_entries

    said = Config(config_path()) if asks_default or not _may_be_configured() else load_config()
    _preferences(said)
    _configured_view(said)
    found = found_outside(said, os.environ, Remembered(state_path()))
    write_output(STANDARD_OUTPUT, config_text(said, usual_entries(), found), overwrite=False)


@tcptui.command(
    short_help=mark("Print the completion script for a shell."),
    help=mark(
        "Print the completion script for a shell.\n\n"
        "For bash: tcptui completion bash > ~/.local/share/bash-completion/completions/tcptui"
    ),
)
@click.argument("shell", type=click.Choice(SHELL_NAMES))
@_language_option
def completion(shell: str) -> None:
    """Print the completion script."""
    completer = get_completion_class(shell)
    if completer is None:
        problem = tr("no completion for {shell}", shell=shell)
        raise RequestError(problem, tr("known: {names}", names=tr(", ").join(SHELL_NAMES)))
    write_output(STANDARD_OUTPUT, completer(tcptui, {}, "tcptui", COMPLETE_VARIABLE).source() + "\n", overwrite=False)
