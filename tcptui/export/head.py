"""What makes a file stand alone: where and when its rows were taken, how exact they are, and how to see them again."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from tcptui.language import tr, tr_n
from tcptui.model.fields import FIELDS
from tcptui.model.sample import Sample
from tcptui.model.states import DISPLAY_ORDER
from tcptui.monitor.frame import Frame
from tcptui.query.ss_command import ss_commands
from tcptui.query.syntax import EVERYTHING


@dataclass(frozen=True)
class Fact:
    """Some lines under a label."""

    label: str
    lines: tuple[str, ...]


def title(frame: Frame) -> str:
    """What a file is about, in a few words."""
    return f"tcptui · {frame.sample.origin.host or tr('host unknown')} · {frame.view.kind.value}"


def preamble(frame: Frame) -> list[str]:
    """The facts in as few lines as there can be."""
    sample = frame.sample
    origin = sample.origin
    lines = [
        " · ".join(("tcptui", *circumstances(sample))),
        tr_n(
            "{total:,} socket by {source} in {time:.1f} ms · {counts}",
            "{total:,} sockets by {source} in {time:.1f} ms · {counts}",
            frame.total,
            total=frame.total,
            source=origin.source,
            time=sample.cost.total_ms,
            counts=_counts(frame),
        ),
    ]
    if frame.view.filter:
        lines.append(tr("filter: {filter}", filter=frame.view.filter_text))
    return [*lines, *(f"! {trouble}" for trouble in frame.degraded)]


def circumstances(sample: Sample) -> Iterator[str]:
    """Of which machine, in which namespace and at what time a sample was taken, as far as that is known."""
    origin = sample.origin
    yield origin.host or tr("host unknown")
    yield from (origin.kernel,) if origin.kernel else ()
    yield from (f"netns {origin.netns}",) if origin.netns else ()
    yield taken_at(sample)


def facts(frame: Frame) -> list[Fact]:
    """All that a reader elsewhere must know of the frame, one thing after the other."""
    sample = frame.sample
    origin, cost = sample.origin, sample.cost
    spent = tr(
        "{total:.1f} ms: the kernel's table {dump:.1f}, decoding {decode:.1f}, holders {owners:.1f}",
        total=cost.total_ms,
        dump=cost.dump_ms,
        decode=cost.decode_ms,
        owners=cost.owners_ms,
    )
    told = [
        Fact(tr("host"), (origin.host or tr("host unknown"),)),
        *([Fact(tr("kernel"), (origin.kernel,))] if origin.kernel else []),
        Fact(tr("taken"), (taken_at(sample),)),
        Fact(tr("view"), (_view(frame),)),
        Fact(tr("filter"), (frame.view.filter_text or tr("none"),)),
        *([Fact("netns", (origin.netns,))] if origin.netns else []),
        Fact(tr("source"), (origin.source,)),
        Fact(tr("cost"), (spent,)),
        Fact(tr("sockets"), (f"{frame.total:,}",)),
        Fact(tr("states"), (_counts(frame),)),
    ]
    cautions = tuple(str(trouble) for trouble in frame.degraded)
    return [*told, Fact(tr("caution"), cautions)] if cautions else told


def taken_at(sample: Sample) -> str:
    """When a sample was taken, for people."""
    return sample.taken_at.strftime("%Y-%m-%d %H:%M:%S %Z") if sample.origin.tells_time else tr("time unknown")


def _counts(frame: Frame) -> str:
    """The states in which there is somebody."""
    counts = ((state.name, frame.state_count(state)) for state in DISPLAY_ORDER)
    return "  ".join(f"{name} {count:,}" for name, count in counts if count) or tr("none")


def _view(frame: Frame) -> str:
    """What a row is, and the order of the rows."""
    view = frame.view
    parts = [view.kind.value]
    if view.prefix is not None:
        parts.append(tr("by networks of {bits} bits", bits=view.prefix))
    sort = view.effective_sort
    if sort is not None:
        field = FIELDS[sort.field_id].title_in_text
        is_down = sort.descending
        parts.append(tr("by {field}, descending", field=field) if is_down else tr("by {field}, ascending", field=field))
    return tr(", ").join(parts)


def commands(frame: Frame) -> list[str]:
    """Lines for a shell that show the same again: ours, and the nearest of ``ss`` with what is different there."""
    filter = frame.view.filter
    expression = EVERYTHING if filter is None else filter.expression
    shows = "p" if frame.view.kind.names_processes else ""
    ss = ss_commands(expression, frame.sample.origin.options, shows=shows)
    found = ss.commands or (tr("# nothing to ask: no socket can match"),)
    return [command_of(frame), *found, *(f"# {remark}" for remark in ss.remarks)]


def command_of(frame: Frame) -> str:
    """The command that asks for the same view again: of the screen where one sample is not enough for it."""
    view = frame.view
    words = ["tcptui", *([] if view.takes_time else ["snapshot"]), "--view", view.kind.value]
    words += frame.sample.origin.options
    if view.prefix is not None:
        words += ["--prefix", str(view.prefix)]
    if view.sort is not None:
        words.append(f"--sort={'-' if view.sort.descending else ''}{view.sort.field_id}")
    if view.filter is not None:
        words.append(view.filter_text)
    return shlex.join(words)
