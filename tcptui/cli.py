"""The composition root: arguments to settings, source, monitor and front end; errors to exit codes.

The only module that builds a source, and the only one that imports inside functions: what a command does not need is
not loaded for it, and the screen is painted before numpy is.
"""

from __future__ import annotations

import itertools
import math
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem, get_completion_class, shell_complete

from tcptui import __version__
from tcptui.errors import ExitCode, InternalError, RequestError, TcptuiError
from tcptui.export.files import STANDARD_OUTPUT, narrate, write_output
from tcptui.text import printable

if TYPE_CHECKING:
    from tcptui.monitor.view import View
    from tcptui.query.names import Names
    from tcptui.query.syntax import Filter
    from tcptui.sources.base import Source
    from tcptui.tui.backend import Backend

# OpenBLAS would start a spinning thread for every core; no matrix is ever multiplied here.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

VIEW_NAMES = ("states", "peers", "processes", "services", "listeners", "ports", "connections", "namespaces")
FORMAT_NAMES = ("table", "csv", "json", "jsonl", "md")
EXPLAIN_FORMAT_NAMES = ("text", "md", "json")
SCENE_NAMES = ("calm", "leak", "flood", "timewait", "lastack")
READER_NAMES = ("auto", "netlink", "proc", "psutil")
SHELL_NAMES = ("bash", "zsh", "fish")
ALL_NAMESPACES = "all"
"""Names defined elsewhere too: reading them there would load numpy before the first frame. A test compares."""

COMPLETE_VARIABLE = "_TCPTUI_COMPLETE"

INTERRUPTED = 128 + 2
"""Exit code after Ctrl-C, as a shell reports SIGINT."""

C = TypeVar("C", bound=Callable[..., Any])


@dataclass(frozen=True)
class Settings:
    """Where to look and how often, from the common options."""

    interval: float
    netns: str | None
    ipv4: bool
    ipv6: bool
    reader: str
    demo: str | None

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
    view: str
    sort: str | None
    prefix: int | None
    explain_filter: bool


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; the exit code of ``errors.ExitCode``."""
    try:
        return _run(list(sys.argv[1:] if arguments is None else arguments))
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


def _run(arguments: list[str]) -> int:
    """What click's own ``main`` does, but for its handling of errors, which ends the process its own way."""
    instruction = os.environ.get(COMPLETE_VARIABLE)
    if instruction is not None:
        return shell_complete(tcptui, {}, "tcptui", COMPLETE_VARIABLE, instruction)
    with tcptui.make_context("tcptui", arguments) as context:
        return tcptui.invoke(context) or ExitCode.OK


def _request_error(error: click.ClickException) -> RequestError:
    """Click's message as one line."""
    context = getattr(error, "ctx", None)
    message = " ".join(error.format_message().split()).rstrip(".")
    command = context.command_path.removesuffix(f" {screen.name}") if context else "tcptui"
    return RequestError(message[:1].lower() + message[1:], f"see {command} --help")


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


class TcptuiCommand(click.Command):
    """A command whose help goes the way of all output, so that a full disk is told as always."""

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        option = super().get_help_option(ctx)
        if option is not None:
            option.callback = _show_help
        return option


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
        if args and args[0] in self.context_settings["help_option_names"]:
            return args
        for index, word in enumerate(args):
            if word in self.commands and not (index and args[index - 1] in self._options_with_values()):
                return [word, *args[:index], *args[index + 1 :]]
        return [screen.name or "", *args]

    def _options_with_values(self) -> set[str]:
        """Every option of any command behind which a word is its value."""
        parameters = [each for command in self.commands.values() for each in command.params]
        options = [each for each in parameters if isinstance(each, click.Option) and not each.is_flag]
        return {name for option in options for name in option.opts}

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        records = [record for each in screen.get_params(ctx) if (record := _option_record(each, ctx))]
        with formatter.section("Options"):
            formatter.write_dl(records)
        self.format_commands(ctx, formatter)
        from tcptui.query.words import WORDS

        with formatter.section("Filter words"):
            formatter.write_dl([(word.example, word.about) for word in WORDS])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        words = [CompletionItem(word) for word in _filter_words(incomplete)]
        return [*super().shell_complete(ctx, incomplete), *screen.shell_complete(ctx, incomplete), *words]


def _with_scene(args: list[str]) -> list[str]:
    """``--demo`` alone means the calm scene, also where a filter follows."""
    return [
        "--demo=calm" if word == "--demo" and (following not in SCENE_NAMES) else word
        for word, following in itertools.zip_longest(args, args[1:], fillvalue="")
    ]


def _checked_interval(_context: click.Context, _parameter: click.Parameter, value: float) -> float:
    if not math.isfinite(value):
        raise click.BadParameter(f"{value} is not a time")
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


_source_options = _applied(
    [
        click.option(
            *("-N", "--netns"), metavar="NAME|PID|PATH|all", help="Network namespace to look at, or all of them."
        ),
        click.option("-4", "--ipv4", is_flag=True, help="IPv4 only."),
        click.option("-6", "--ipv6", is_flag=True, help="IPv6 only."),
        click.option(
            *("--source", "reader"),
            type=click.Choice(READER_NAMES),
            default="auto",
            show_default=True,
            help="Where to read the sockets; auto is the best that works.",
        ),
        click.option("--demo", type=click.Choice(SCENE_NAMES), help="A made-up machine instead of this one."),
        click.option(
            *("-i", "--interval"),
            type=click.FloatRange(0.2, 3600),
            default=1.0,
            show_default=True,
            callback=_checked_interval,
            metavar="SECONDS",
            help="Time between samples, 0.2 to 3600.",
        ),
        click.option(
            *("-V", "--version"),
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_show_version,
            help="Show the version and exit.",
        ),
    ]
)


def _view_options(default_view: str) -> Callable[[C], C]:
    return _applied(
        [
            click.argument("words", nargs=-1, metavar="[FILTER]...", shell_complete=_complete_filter),
            click.option(
                "--view",
                type=click.Choice(VIEW_NAMES),
                metavar="VIEW",
                default=default_view,
                show_default=True,
                help=f"What a row is: {', '.join(VIEW_NAMES)}.",
            ),
            click.option("--sort", metavar="FIELD", help="Field to order by; -FIELD from the largest."),
            click.option(
                "--prefix",
                type=click.IntRange(1, 128),
                metavar="BITS",
                help="Peers by network: up to 32 for IPv4 (IPv6 by /64), above for IPv6.",
            ),
            click.option(
                "--explain-filter",
                is_flag=True,
                help="Say how FILTER is understood, what of it the kernel decides, and the nearest ss command.",
            ),
        ]
    )


@click.group(
    cls=TcptuiGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    subcommand_metavar="[FILTER]... | COMMAND [ARGS]...",
)
def tcptui() -> None:
    """TCP connections by state, live: who the peers are, what the kernel will do with them, which parameter governs it.

    FILTER narrows what is shown. What ss(8) takes means the same here, and beyond that 443 is a port, 10.1.2.3 or
    10.0.0.0/8 an address, time-wait a state, nginx a process, @web a saved filter. Words are joined, so quoting is
    rarely needed, and --explain-filter tells what was understood.
    """


@tcptui.command(hidden=True)
@_view_options("peers")
@_source_options
def screen(**options: Any) -> int:
    """The live screen."""
    settings, asked = _settings_and_wish(options)
    if asked.explain_filter:
        return _explain_filter(asked, settings)
    _refuse_without_terminal()
    known_view = None
    if asked.words or asked.sort or settings.demo or settings.netns:
        known_view = _view(asked, settings)
        _check_namespace(settings)

    def start() -> Backend:
        from tcptui.explain.topics import parameter_names
        from tcptui.monitor.presenter import Presenter
        from tcptui.tui.backend import Backend

        view = known_view or _view(asked, settings)
        source = _open_source(settings, parameter_names(), is_live=True)
        return Backend(Presenter(source, view, settings.interval), view, lambda: _names(settings, with_saved=True))

    from tcptui.tui.app import TcptuiApp

    # A key waits at most this long for a thread that computes.
    sys.setswitchinterval(0.0005)
    app = TcptuiApp(start)
    app.run()
    if app.failure is not None:
        raise app.failure
    return app.return_code or ExitCode.OK


def _refuse_without_terminal() -> None:
    if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        raise RequestError("the screen needs a terminal", "for a file or a pipe use tcptui snapshot")
    if os.environ.get("TERM", "dumb") == "dumb":
        raise RequestError("this terminal cannot place a cursor (TERM is dumb)", "use tcptui snapshot, or set TERM")


def _check_namespace(settings: Settings) -> None:
    """Say that a namespace does not exist while there is no screen to tear down."""
    from tcptui.kernel.namespaces import namespace_path

    if settings.netns not in (None, ALL_NAMESPACES):
        namespace_path(settings.netns)


def _settings_and_wish(options: dict[str, Any]) -> tuple[Settings, Wish]:
    """The common options, and those of a view."""
    asked = Wish(**{name: options.pop(name) for name in ("words", "view", "sort", "prefix", "explain_filter")})
    return Settings(**options), asked


def _view(asked: Wish, settings: Settings) -> View:
    from tcptui.model.fields import ViewKind, parse_sort
    from tcptui.monitor.view import View

    kind = ViewKind(asked.view)
    return View(kind, _filter(asked, settings), parse_sort(asked.sort, kind) if asked.sort else None, asked.prefix)


def _filter(asked: Wish, settings: Settings) -> Filter | None:
    if not asked.words:
        return None
    from tcptui.query.parse import parse_filter

    text = " ".join(asked.words)
    return parse_filter(text, _names(settings, with_saved="@" in text))


def _names(settings: Settings, *, with_saved: bool) -> Names:
    """What the names in a filter stand for; a configuration that cannot be read keeps nobody from looking."""
    from tcptui.sources.names import machine_names

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
        raise RequestError("there is no filter to explain", "write one, such as tcptui :443 --explain-filter")
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
            raise RequestError("psutil sees one network namespace only", "leave out -N or --source psutil")
        from tcptui.sources.portable import PortableSource

        return PortableSource(settings.families)
    from tcptui.sources.live import LiveSource

    return LiveSource(
        netns=settings.netns,
        families=settings.families,
        reader=settings.reader,
        parameters=parameters,
        destroyed=is_live,
    )


@tcptui.command()
@_view_options("states")
@click.option("--format", "format_name", type=click.Choice(FORMAT_NAMES), help="Default: by FILE's ending, else table.")
@click.option("--limit", type=click.IntRange(0), metavar="N", help="At most N rows.")
@click.option(
    "-o", "--output", default="-", metavar="FILE", help="File to write, whole or not at all; - is standard output."
)
@click.option("--force", is_flag=True, help="Overwrite FILE.")
@_source_options
def snapshot(format_name: str | None, limit: int | None, output: str, force: bool, **options: Any) -> int:  # noqa: FBT001 - click hands flags over by name
    """Write one sample to standard output or a file."""
    from tcptui.export.formats import Format, format_of_path
    from tcptui.headless.snapshot import write_snapshot

    settings, asked = _settings_and_wish(options)
    if asked.explain_filter:
        return _explain_filter(asked, settings)
    view = _view(asked, settings)
    by_name = Format(format_name) if format_name else None
    format = by_name or (Format.TABLE if output == "-" else format_of_path(output))
    write_snapshot(_open_source(settings, ()), view, format=format, limit=limit, path=output, overwrite=force)
    return ExitCode.OK


@tcptui.command(short_help="Explain a TCP state or a kernel parameter.")
@click.argument("topic", required=False, shell_complete=_complete_topic)
@click.option("--format", "format_name", type=click.Choice(EXPLAIN_FORMAT_NAMES), default="text", show_default=True)
@_source_options
def explain(topic: str | None, format_name: str, **common: Any) -> None:
    """Explain a TCP state or a kernel parameter, with this machine's live values.

    Without TOPIC: what can be asked.
    """
    from tcptui.headless.explain import write_explanation

    settings = Settings(**common)
    if settings.netns == ALL_NAMESPACES:
        raise RequestError("an explanation has the values of one network namespace", "name it behind -N")
    write_explanation(topic, format_name, lambda names: _open_source(settings, names))


@tcptui.command()
@click.argument("shell", type=click.Choice(SHELL_NAMES))
def completion(shell: str) -> None:
    """Print the completion script for a shell.

    For bash: tcptui completion bash > ~/.local/share/bash-completion/completions/tcptui
    """
    completer = get_completion_class(shell)
    if completer is None:
        raise RequestError(f"no completion for {shell}", f"known: {', '.join(SHELL_NAMES)}")
    write_output(STANDARD_OUTPUT, completer(tcptui, {}, "tcptui", COMPLETE_VARIABLE).source() + "\n", overwrite=False)
