"""The words of every language say the same things, and none holds a word of another."""

import re
from collections.abc import Iterator

import pytest

from tcptui.explain.explanation import Explanation
from tcptui.explain.knowledge import DATA, load
from tcptui.explain.reader import read_toml
from tcptui.explain.topics import topic_names
from tcptui.language import LANGUAGES
from tests.explain.support import explained, machine
from tests.support.chinese import CHINESE, foreign_words

FILES = sorted(path.name for path in (DATA / "en").iterdir())
OTHERS = [language for language in LANGUAGES if language != "en"]


def leaves(value: object, where: str = "") -> Iterator[tuple[str, str]]:
    """Every text with the keys that lead to it."""
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from leaves(each, f"{where}/{key}")
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from leaves(each, f"{where}/{index}")


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("file", FILES)
def test_every_text_is_there_in_every_language(file: str, language: str) -> None:
    english, other = (dict(leaves(read_toml(DATA / each / file))) for each in ("en", language))
    assert list(english) == list(other)
    for where, text in english.items():
        assert sorted(re.findall(r"{\w+}", text)) == sorted(re.findall(r"{\w+}", other[where])), where


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_can_be_loaded(language: str) -> None:
    assert load(language).language == language


@pytest.mark.parametrize("file", FILES)
def test_english_has_no_chinese(file: str) -> None:
    assert [where for where, text in leaves(read_toml(DATA / "en" / file)) if CHINESE.search(text)] == []


@pytest.mark.parametrize("file", FILES)
def test_chinese_has_no_english(file: str) -> None:
    found = {where: words for where, text in leaves(read_toml(DATA / "zh" / file)) if (words := foreign_words(text))}
    assert found == {}


def said(explanation: Explanation) -> Iterator[str]:
    """Everything that is said in an explanation but for commands, which are the same in every language."""
    yield from (explanation.title, explanation.summary, *explanation.short)
    for section in explanation.sections:
        yield section.heading
        for line in section.lines:
            yield "" if line.label == line.topic else line.label
            yield "" if line.kind == "command" else line.text
        for parameter in section.parameters:
            yield from (parameter.default, parameter.default_text, parameter.unit, parameter.note, *parameter.remarks)
            yield parameter.why_missing


@pytest.mark.parametrize("live", [machine(), {}], ids=["all read", "nothing read"])
@pytest.mark.parametrize("name", [name for name in topic_names() if name != "machine"])
def test_an_explanation_in_chinese_has_no_english(name: str, live: dict[str, str]) -> None:
    texts = list(said(explained(name, live, "zh")))
    assert set().union(*map(foreign_words, texts)) - {*name.split(".")} == set()
    assert any(map(CHINESE.search, texts))


@pytest.mark.parametrize("name", [name for name in topic_names() if name != "machine"])
def test_an_explanation_in_english_has_no_chinese(name: str) -> None:
    assert not any(map(CHINESE.search, said(explained(name, machine()))))
