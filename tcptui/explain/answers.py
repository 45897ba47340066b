"""Explanations of anything that can be asked, with this machine's values in them.

May not format for a screen or a file: that is ``render``.
"""

from tcptui.explain.circumstances import Circumstances
from tcptui.explain.explanation import Explanation
from tcptui.explain.knowledge import load
from tcptui.explain.other_answers import (
    column_explanation,
    columns_overview,
    counter_explanation,
    myth_explanation,
    myths_overview,
    option_explanation,
    topics_overview,
)
from tcptui.explain.parameter_answers import parameter_explanation, parameters_overview
from tcptui.explain.state_answers import state_explanation
from tcptui.explain.voice import Voice

OVERVIEWS = {
    "parameters": parameters_overview,
    "myths": myths_overview,
    "columns": columns_overview,
    "topics": topics_overview,
}
"""Topics that are about many entries at once."""


def explanation(name: str, circumstances: Circumstances, language: str = "en") -> Explanation:
    """What there is to say about the topic of that name.

    Args:
        name: the name of an entry (``topics.find_topic`` knows them), or one of ``OVERVIEWS``.
        circumstances: this machine's values; at least those of ``parameter_names(name)`` should have been read.
        language: one of ``language.LANGUAGES``.

    Raises:
        KeyError: there is no such entry.
    """
    knowledge = load(language)
    voice = Voice(knowledge, circumstances)
    if name in OVERVIEWS:
        return OVERVIEWS[name](voice)
    if name in knowledge.states:
        return state_explanation(voice, knowledge.states[name])
    if name in knowledge.parameters:
        return parameter_explanation(voice, knowledge.parameters[name])
    if name in knowledge.counters:
        return counter_explanation(voice, knowledge.counters[name])
    if name in knowledge.options:
        return option_explanation(voice, knowledge.options[name])
    if name in knowledge.columns:
        return column_explanation(voice, knowledge.columns[name])
    return myth_explanation(voice, knowledge.myths[name])
