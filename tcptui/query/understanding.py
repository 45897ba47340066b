"""How a filter was understood: in words, what of it the kernel decides, and the nearest ``ss`` command."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tcptui.language import mark, tr
from tcptui.model.states import ALL_STATES, TcpState
from tcptui.query.bytecode import KernelQuery, kernel_can_tell, kernel_queries
from tcptui.query.request import Need, request_for
from tcptui.query.simplify import MOST_PARTS, by_state
from tcptui.query.ss_command import ss_commands
from tcptui.query.syntax import EVERYTHING, Expression, FamilyTest, Filter, StateTest, Test, tests_in
from tcptui.query.wording import ANY_STATE, in_words, outline, states_in_words
from tcptui.query.words import STATE_GROUPS
from tcptui.text import cell_count

_COSTS = {
    Need.OWNERS: mark("whose a socket is takes a look into /proc: between samples on the screen, once for a snapshot"),
    Need.CGROUPS: mark("the paths of cgroups are read for it, and again when there are new ones"),
    Need.MARKS: mark("marks are asked for with each socket: the kernel tells them to root only"),
    Need.AUTOBOUND: mark("the kernel is asked twice: it does not tell which port it chose, but selects by that"),
}


_LISTENING = frozenset({TcpState.LISTEN})


@dataclass(frozen=True)
class Section:
    """Some lines under a label."""

    label: str
    lines: tuple[str, ...]


def understanding(
    filter: Filter, options: Sequence[str] = (), families: Sequence[int] = (4, 6), *, selects: bool = True
) -> list[Section]:
    """All there is to say about ``filter``.

    Args:
        filter: what was understood.
        options: those that say where to look, as ``Origin.options`` has them.
        families: the address families that are looked at.
        selects: whether the source can be asked for a part of the sockets, as sock_diag can.
    """
    expression = filter.expression
    sections = [Section(tr("filter"), (filter.text,)), Section(tr("means"), tuple(outline(expression)))]
    if not any(_parts(expression, family) for family in families):
        sections.append(Section(tr("but"), (tr("no socket can be so: this never matches"),)))
    ss = ss_commands(expression, options)
    return [
        *sections,
        Section(
            tr("kernel"),
            _asked_of_kernel(filter, families) if selects else (tr("every socket: it selects with sock_diag only"),),
        ),
        Section(tr("here"), _decided_here(filter, selects=selects)),
        Section(
            "ss",
            (*ss.commands, *(f"# {remark}" for remark in ss.remarks)) or (tr("# nothing to ask: no socket can match"),),
        ),
    ]


def _asked_of_kernel(filter: Filter, families: Sequence[int]) -> tuple[str, ...]:
    """What the kernel selects, family by family where that differs."""
    texts = {family: tuple(_query_texts(filter, family)) for family in families}
    if len(set(texts.values())) == 1:
        return texts[families[0]]
    return tuple(
        tr("IPv{family}: {query}", family=family, query=text) for family, lines in texts.items() for text in lines
    )


def _query_texts(filter: Filter, family: int) -> Iterator[str]:
    """One line a question; the listeners, who come along with every answer, are not worth one of their own."""
    can_listen = any(TcpState.LISTEN in states for states in _parts(filter.expression, family).values())
    queries = kernel_queries(filter.expression, family)
    if queries == [KernelQuery(family, STATE_GROUPS["all"])]:
        yield tr("every socket")
        return
    asked = [query for query in queries if query.states != _LISTENING]
    for query in asked:
        states = query.states | _LISTENING if can_listen else query.states - _LISTENING
        yield _query_text(query, states)
    if not asked:
        yield tr("the listeners alone") if can_listen else tr("nothing: no socket can match")
    elif not can_listen or len(asked) < len(queries):
        yield tr("(and all listeners, which are few)")


def _query_text(query: KernelQuery, states: frozenset[TcpState]) -> str:
    parts = [states_in_words(states, ANY_STATE)]
    if query.local_port:
        parts.append(tr("local port {port} (in the request)", port=query.local_port))
    if query.remote_port:
        parts.append(tr("remote port {port} (in the request)", port=query.remote_port))
    if query.condition != EVERYTHING:
        condition, size = in_words(query.condition), len(query.bytecode)
        parts.append(tr("{condition} ({size} bytes of program)", condition=condition, size=size))
    return tr("; ").join(parts)


def _decided_here(filter: Filter, *, selects: bool) -> tuple[str, ...]:
    """The tests that are left to the program, each once, and what it has to read for them."""
    expression = filter.expression
    tests = dict.fromkeys(tests_in(expression))
    left = [test for test in tests if not _is_kernels(test)]
    is_all_left = all(query.states == STATE_GROUPS["all"] for query in kernel_queries(expression, 4))
    lines = [in_words(test) for test in (left if selects and not is_all_left else tests)]
    if selects and not left and any(len(_parts(expression, family)) > MOST_PARTS for family in (4, 6)):
        lines.append(tr("which condition goes with which state"))
    needs = request_for(filter).needs - (frozenset() if selects else {Need.MARKS, Need.AUTOBOUND})
    costs = [_COSTS[need] for need in Need if need in needs]
    return (*lines, *(tr("({remark})", remark=tr(cost)) for cost in costs)) or (tr("nothing more"),)


def _parts(expression: Expression, family: int) -> Mapping[Expression, frozenset[TcpState]]:
    """What the kernel could be asked, with as many questions as it takes."""
    return by_state(expression, kernel_can_tell, family, most=len(ALL_STATES))


def _is_kernels(test: Test) -> bool:
    return kernel_can_tell(test) or isinstance(test, (StateTest, FamilyTest))


def to_text(sections: Sequence[Section]) -> str:
    """The sections as text, the labels in a column of their own, with a final newline."""
    width = max(cell_count(section.label) for section in sections)
    lines = []
    for section in sections:
        label = section.label + " " * (width - cell_count(section.label))
        labels = [label, *[" " * width] * (len(section.lines) - 1)]
        lines += [f"{label}  {line}".rstrip() for label, line in zip(labels, section.lines, strict=True)]
    return "\n".join(lines) + "\n"
