"""``tcptui explain``: the side panel's text on standard output, with this machine's live values."""

import json
import shutil
from collections.abc import Callable, Iterable
from dataclasses import asdict

from tcptui.explain.answers import explanation
from tcptui.explain.circumstances import NEEDS_HOLDERS
from tcptui.explain.commands import Selection
from tcptui.explain.render import to_dict, to_markdown, to_text, topic_list_markdown, topic_list_text
from tcptui.explain.topics import parameter_names, topics
from tcptui.files import STANDARD_OUTPUT, write_output
from tcptui.language import spoken
from tcptui.monitor.circumstances import circumstances_of
from tcptui.query.request import FOUND_BESIDE, Request
from tcptui.query.ss_command import command_inside
from tcptui.query.syntax import NOTHING
from tcptui.sources.base import Source

WIDEST = 100
"""Longer lines are hard to read."""

OpenSource = Callable[[Iterable[str]], Source]
"""Makes a source that reads the parameters it is given."""


def write_explanation(name: str | None, format_name: str, open_source: OpenSource) -> None:
    """Write what there is to say about the topic of that name; without one, what can be asked.

    Raises:
        SourceError: the namespace cannot be read.
    """
    if name is None:
        text = _list(format_name)
    else:
        source = open_source(parameter_names(name))
        try:
            text = _answer(name, source, format_name)
        finally:
            source.close()
    write_output(STANDARD_OUTPUT, text, overwrite=False)


def _width() -> int:
    return min(shutil.get_terminal_size().columns, WIDEST)


def _list(format_name: str) -> str:
    known = topics(spoken())
    if format_name == "json":
        return json.dumps([asdict(topic) for topic in known], indent=1, ensure_ascii=False) + "\n"
    if format_name == "md":
        return topic_list_markdown(known)
    return topic_list_text(known, _width(), spoken())


def _answer(name: str, source: Source, format_name: str) -> str:
    is_about_holders = name in NEEDS_HOLDERS
    sample = source.sample(Request(needs=FOUND_BESIDE) if is_about_holders else Request(scope=NOTHING))
    selection = Selection(inside=command_inside(sample.origin.netns))
    told = explanation(name, circumstances_of(sample, selection=selection, with_limits=is_about_holders), spoken())
    if format_name == "json":
        return json.dumps(to_dict(told), indent=1, ensure_ascii=False) + "\n"
    return to_markdown(told) if format_name == "md" else to_text(told, _width())
