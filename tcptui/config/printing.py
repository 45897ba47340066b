"""The configuration in force as a ``config.toml``, with what each setting means and where its value comes from.

What the file says stands as it is; everything else stands behind a ``#``: it holds without being said, and can be
changed by taking the ``#`` away. So what is printed reads as the same configuration.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tcptui.config.kinds import Named, toml_key
from tcptui.config.settings import SETTINGS, Config, Setting
from tcptui.language import mark, tr
from tcptui.text import printable
from tcptui.wrapping import wrap

WIDTH = 100
_HEAD = mark("{path} as it is in force. A line behind # holds without being said: take the # away to change it.")


@dataclass(frozen=True)
class Usual:
    """What holds of an entry of a table that the file says nothing of."""

    name: str
    value: object
    about: str = ""
    """What the entry means, in the language in force."""
    is_example: bool = False
    """Whether it does not hold, and only shows how one is written."""


@dataclass(frozen=True)
class Found:
    """What holds of a setting that the file says nothing of, because of something outside."""

    value: object
    origin: str
    """Where it comes from, in the language in force."""


def config_text(config: Config, usual: Mapping[str, Sequence[Usual]], found: Mapping[str, Found]) -> str:
    """The whole of it. ``usual`` has the entries of tables, ``found`` what is not a default, by dotted key."""
    head = tr(_HEAD, path=printable(config.path))
    blocks = [[f"# {head}"]]
    plain = [setting for setting in SETTINGS if len(setting.key) == 1 and not setting.is_table]
    blocks += [_plain(config, setting, found.get(setting.dotted)) for setting in plain]
    for table in dict.fromkeys(setting.key[:-1] for setting in SETTINGS if len(setting.key) > 1):
        within = [setting for setting in SETTINGS if setting.key[:-1] == table]
        blocks.append([f"[{'.'.join(map(toml_key, table))}]"])
        blocks += [_plain(config, setting, found.get(setting.dotted)) for setting in within]
    tables = [setting for setting in SETTINGS if setting.is_table]
    blocks += [_table(config, setting, usual.get(setting.dotted, ())) for setting in tables]
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _plain(config: Config, setting: Setting, found: Found | None) -> list[str]:
    value = getattr(config, setting.name)
    name = toml_key(setting.key[-1])
    lines = [*_comment(tr(setting.about))]
    if setting.key in config.lines:
        return [*lines, f"# {_place(config, setting.key)}", f"{name} = {setting.kind.written(value)}"]
    if found is not None:
        return [*lines, f"# {printable(found.origin)}", f"#{name} = {setting.kind.written(found.value)}"]
    if setting.without:
        without = tr("without it: {what}", what=tr(setting.without))
        return [*lines, *_comment(without), f"#{name} = {setting.kind.example}"]
    return [*lines, *_comment(tr("default")), f"#{name} = {setting.kind.written(value)}"]


def _table(config: Config, setting: Setting, usual: Sequence[Usual]) -> list[str]:
    said: Mapping[str, object] = getattr(config, setting.name)
    assert isinstance(setting.kind, Named)
    lines = [*_comment(tr(setting.about)), f"[{'.'.join(map(toml_key, setting.key))}]"]
    usual_by_name = {each.name: each for each in usual}
    for name in dict.fromkeys([*usual_by_name, *said]):
        entry = usual_by_name.get(name, Usual(name, None))
        if name in said:
            entry = replace(entry, value=said[name])
            origin = _place(config, (*setting.key, name))
            lines += [f"{_written(setting, entry)}  # {'; '.join(filter(None, (entry.about, origin)))}"]
        elif not (entry.is_example and said):
            lines += [f"#{_written(setting, entry)}{f'  # {entry.about}' if entry.about else ''}"]
    return lines


def _written(setting: Setting, entry: Usual) -> str:
    return f"{toml_key(entry.name)} = {setting.kind.written(entry.value)}"


def _place(config: Config, key: tuple[str, ...]) -> str:
    return tr("from line {line} of {path}", line=config.lines.get(key, 1), path=printable(config.path))


def _comment(text: str) -> Iterator[str]:
    return (f"# {line}" for line in wrap(text, WIDTH - 2))
