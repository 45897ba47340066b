"""The interface in every language: complete, with the same placeholders, and chosen as the user wants it."""

import ast
import os
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from tcptui.language import LANGUAGES, mark, speak, spoken, tr, tr_n, users_language
from tests.catalogue import (
    FOREIGN,
    PROGRAM,
    catalogue_path,
    compiled,
    compiled_path,
    messages,
    read_catalogue,
    translations,
    updated,
    written,
)
from tests.support.chinese import CHINESE, TYPED, foreign_words
from tests.support.languages import speaking

OTHERS = [language for language in LANGUAGES if language != "en"]


def placeholders(text: str) -> set[str]:
    return {field for _, field, _, _ in string.Formatter().parse(text) if field}


def said_in(path: Path) -> Iterator[str]:
    """The messages in a file's calls of ``tr``, ``tr_n`` and ``mark``, wherever these stand."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("tr", "tr_n", "mark"):
            literals = [
                each for each in node.args[:2] if isinstance(each, ast.Constant) and isinstance(each.value, str)
            ]
            yield from (str(each.value) for each in literals)


@pytest.mark.parametrize("language", OTHERS)
def test_every_message_is_translated(language: str) -> None:
    assert [message for message, text in translations(language) if not text.strip()] == []


@pytest.mark.parametrize("language", OTHERS)
def test_the_catalogue_has_the_messages_of_the_code(language: str) -> None:
    assert catalogue_path(language).read_bytes() == written(updated(language)), "run python -m tests.catalogue"


@pytest.mark.parametrize("language", OTHERS)
def test_what_the_program_reads_is_made_of_what_people_edit(language: str) -> None:
    assert compiled_path(language).read_bytes() == compiled(read_catalogue(language)), "run python -m tests.catalogue"


def test_no_message_is_out_of_sight_of_the_catalogue() -> None:
    known = {
        each for message in messages() for each in (message.id if isinstance(message.id, tuple) else (message.id,))
    }
    unseen = {(path.name, text) for path in PROGRAM.rglob("*.py") for text in said_in(path) if text not in known}
    assert unseen == set()


@pytest.mark.parametrize("language", OTHERS)
def test_translations_have_the_same_placeholders(language: str) -> None:
    foreign = {
        each for texts in FOREIGN.values() for text in texts for each in (text if isinstance(text, tuple) else (text,))
    }
    for message, text in translations(language):
        if message not in foreign:
            assert placeholders(message) == placeholders(text), message
        else:
            assert placeholders(text) <= placeholders(message), message


def test_chinese_messages_are_chinese() -> None:
    found = {message: words for message, text in translations("zh") if (words := foreign_words(text, TYPED))}
    assert found == {}


@pytest.mark.parametrize("message", [message for message, _ in translations("zh")])
def test_english_messages_have_no_chinese(message: str) -> None:
    assert not CHINESE.search(message)


def test_a_message_is_said_in_the_language_in_force() -> None:
    assert spoken() == "en"
    assert tr("filter") == "filter"
    with speaking("zh"):
        assert spoken() == "zh"
        assert CHINESE.search(tr("filter"))
        assert mark("filter") == "filter"
        assert tr("no such message {x}", x=1) == "no such message 1"
    assert tr("filter") == "filter"


def test_a_number_chooses_the_form() -> None:
    assert tr_n("{n} thing", "{n} things", 1, n=1) == "1 thing"
    assert tr_n("{n} thing", "{n} things", 2, n=2) == "2 things"


def test_an_empty_message_says_nothing() -> None:
    with speaking("zh"):
        assert tr("") == ""


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "POSIX"}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN"}, "zh"),
        ({"LANG": "zh_Hans_CN@pinyin"}, "zh"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_MESSAGES": "en_GB.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": ""}, "zh"),
        ({"LANG": "en_US.UTF-8", "LANGUAGE": "zh_CN:en"}, "zh"),
        ({"LANG": "en_US.UTF-8", "LANGUAGE": "de:zh"}, "zh"),
        ({"LANG": "C", "LANGUAGE": "zh"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LANGUAGE": "en_GB:zh"}, "en"),
        ({"LANG": "\x1b[2J"}, "en"),
    ],
)
def test_the_locale_decides_as_it_does_for_other_programs(environment: dict[str, str], language: str) -> None:
    assert users_language(environment) == language


def test_libraries_speak_too_and_stop_again() -> None:
    before = os.environ.get("LANGUAGE")
    with speaking("zh"):
        assert os.environ["LANGUAGE"] == "zh"
    assert os.environ.get("LANGUAGE") == before
    speak("en")
