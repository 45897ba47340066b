"""``tcptui explain``: the side panel's text on standard output, with this machine's live values."""

import json
import shutil
from collections.abc import Callable, Iterable
from dataclasses import asdict

from tcptui.explain.answers import parameter_explanation, state_explanation
from tcptui.explain.explanation import Explanation
from tcptui.explain.render import to_dict, to_markdown, to_text, topic_list_text
from tcptui.explain.topics import find_topic, parameter_names, topics
from tcptui.export.files import STANDARD_OUTPUT, write_output
from tcptui.model.states import TcpState
from tcptui.query.request import Request
from tcptui.query.syntax import NOTHING
from tcptui.sources.base import Source

WIDEST = 100
"""Longer lines are hard to read."""


def write_explanation(topic: str | None, format_name: str, open_source: Callable[[Iterable[str]], Source]) -> None:
    """Write what there is to say about ``topic``; without one, what can be asked.

    ``open_source`` makes a source that reads the parameters it is given.

    Raises:
        RequestError: there is no such topic.
        SourceError: the namespace cannot be read.
    """
    text = _list(format_name) if topic is None else _answer(topic, format_name, open_source)
    write_output(STANDARD_OUTPUT, text, overwrite=False)


def _width() -> int:
    return min(shutil.get_terminal_size().columns, WIDEST)


def _list(format_name: str) -> str:
    if format_name == "json":
        return json.dumps([asdict(topic) for topic in topics()], indent=1, ensure_ascii=False) + "\n"
    if format_name == "md":
        return "".join(f"- `{topic.name}`: {topic.summary}\n" for topic in topics())
    return topic_list_text(topics(), _width())


def _answer(topic: str, format_name: str, open_source: Callable[[Iterable[str]], Source]) -> str:
    found = find_topic(topic)
    name = found.name if isinstance(found, TcpState) else found
    source = open_source(parameter_names(name))
    try:
        live = source.sample(Request(scope=NOTHING)).parameters
    finally:
        source.close()
    explanation = state_explanation(found, live) if isinstance(found, TcpState) else parameter_explanation(name, live)
    return _rendered(explanation, format_name)


def _rendered(explanation: Explanation, format_name: str) -> str:
    if format_name == "json":
        return json.dumps(to_dict(explanation), indent=1, ensure_ascii=False) + "\n"
    if format_name == "md":
        return to_markdown(explanation)
    return to_text(explanation, _width())
