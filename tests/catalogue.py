"""The catalogues of translations, compared with the messages in the code.

``python -m tests.catalogue`` brings every catalogue up to date: new messages come in without a translation, which a
test then demands, those that are gone go out, and the file that the program reads is made anew.
"""

import io
import warnings
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

import tcptui
from tcptui.language import CATALOGUES, DOMAIN, LANGUAGES

PROGRAM = Path(tcptui.__file__).parent
FOREIGN: dict[str, tuple[str | tuple[str, str], ...]] = {
    "click": (
        *("Usage:", "[OPTIONS]", "Options", "Commands", "Show this message and exit.", "default: {default}"),
        "No such option {name!r}.",
        ("Did you mean {possibility}?", "(Did you mean one of: {possibilities}?)"),
        ("Option {name!r} requires an argument.", "Option {name!r} requires {nargs} arguments."),
        "Option {name!r} does not take a value.",
        ("Got unexpected extra argument ({args})", "Got unexpected extra arguments ({args})"),
        *("Missing argument", "Choose from:\n\t{choices}"),
        *("Invalid value: {message}", "Invalid value for {param_hint}: {message}"),
        ("{value!r} is not {choice}.", "{value!r} is not one of {choices}."),
        "{value!r} is not a valid {number_type}.",
        "{value} is not in the range {range}.",
    ),
    "strerror": (
        *("Operation not permitted", "No such file or directory", "No such process", "Interrupted system call"),
        *("Input/output error", "Cannot allocate memory", "Permission denied", "File exists", "Not a directory"),
        *("Is a directory", "Invalid argument", "Too many open files in system", "Too many open files"),
        *("File too large", "No space left on device", "Read-only file system", "Broken pipe", "File name too long"),
        *("Function not implemented", "Too many levels of symbolic links", "Bad message", "Message too long"),
        *("Protocol not supported", "Operation not supported", "Address family not supported by protocol"),
        *("No buffer space available", "Connection refused", "Disk quota exceeded", "No such device or address"),
        *("Bad file descriptor", "Text file busy", "Invalid cross-device link", "Resource temporarily unavailable"),
        *("Address already in use", "Cannot assign requested address"),
    ),
    "gai_strerror": (
        *("Name or service not known", "Temporary failure in name resolution", "No address associated with hostname"),
    ),
    "tomllib": (
        *("invalid statement", "invalid value", "invalid hex value", "invalid date or datetime"),
        *("invalid initial character for a key part", "cannot overwrite a value"),
        *("expected '=' after a key in a key/value pair", "expected newline or end of document after a statement"),
        *("expected ']' at the end of a table declaration", "expected ']]' at the end of an array declaration"),
        *("unterminated string", "unclosed array", "unclosed inline table"),
        *("unescaped '\\' in a string", "escaped character is not a Unicode scalar value"),
    ),
}
"""Messages of libraries that reach a person and are looked up in our catalogue; two forms where a number decides.

The TOML reader's begin with a small letter, as they stand in our own.
"""

_KEYWORDS = {"tr": None, "mark": None, "tr_n": (1, 2)}
_NO_DATE = datetime(2000, 1, 1, tzinfo=timezone.utc)
"""In place of dates, which would make every catalogue another."""
_WIDTH = 120
_HEAD = rb"""msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\n"
"Plural-Forms: nplurals=1; plural=0;\n"

"""


def catalogue_path(language: str) -> Path:
    """The translations into ``language``, as people edit them."""
    return CATALOGUES / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def compiled_path(language: str) -> Path:
    """The same as the program reads it."""
    return catalogue_path(language).with_suffix(".mo")


def messages() -> Catalog:
    """Every message of the program."""
    catalogue = Catalog(domain=DOMAIN)
    found = extract_from_dir(PROGRAM, [("**.py", "python")], keywords=_KEYWORDS, strip_comment_tags=True)
    for file, _line, message, _comments, _context in sorted(found, key=lambda each: (each[0], each[1])):
        catalogue.add(message, locations=[(f"tcptui/{file}", 0)])
    for library, texts in FOREIGN.items():
        for text in texts:
            catalogue.add(text, locations=[(library, 0)])
    return catalogue


def read_catalogue(language: str) -> Catalog:
    """The translations into ``language``."""
    with catalogue_path(language).open("rb") as file:
        catalogue = read_po(file, locale=language, domain=DOMAIN)
    catalogue.creation_date = catalogue.revision_date = _NO_DATE
    return catalogue


def compiled(catalogue: Catalog) -> bytes:
    """What the program reads."""
    content = io.BytesIO()
    write_mo(content, catalogue)
    return content.getvalue()


def updated(language: str) -> Catalog:
    """The catalogue with the messages that the code has now."""
    catalogue = read_catalogue(language) if catalogue_path(language).exists() else Catalog(language, domain=DOMAIN)
    catalogue.update(messages(), no_fuzzy_matching=True, update_header_comment=False)
    catalogue.obsolete.clear()
    return catalogue


def written(catalogue: Catalog) -> bytes:
    """The catalogue as it stands in the repository: no dates, no line numbers, so that a diff shows changes alone."""
    content = io.BytesIO()
    write_po(content, catalogue, width=_WIDTH, omit_header=True, include_lineno=False, sort_by_file=True)
    return _HEAD + content.getvalue().lstrip()


def translations(language: str) -> Iterator[tuple[str, str]]:
    """Every message with its translation; each form of those that depend on a number."""
    for message in read_catalogue(language):
        if message.id:
            ids = message.id if isinstance(message.id, (list, tuple)) else (message.id,)
            texts = message.string if isinstance(message.string, (list, tuple)) else (message.string,)
            yield from ((ids[-1], text or "") for text in texts)


def update() -> None:
    """Write all catalogues anew."""
    for language in LANGUAGES[1:]:
        catalogue = updated(language)
        catalogue_path(language).parent.mkdir(parents=True, exist_ok=True)
        catalogue_path(language).write_bytes(written(catalogue))
        compiled_path(language).write_bytes(compiled(read_catalogue(language)))
        missing = [message for message, text in translations(language) if not text]
        print(f"{language}: {len(catalogue)} messages, {len(missing)} without a translation")
        for message in missing:
            print(f"  {message!r}")


if __name__ == "__main__":
    warnings.simplefilter("ignore", DeprecationWarning)
    update()
