"""Kernel parameters as files set them for the next boot, read again now and then."""

import os
from collections.abc import Callable, Iterable, Iterator

from tcptui.kernel.files import parameter_path
from tcptui.kernel.sysctl_files import DiskSetting as FoundSetting
from tcptui.kernel.sysctl_files import DiskSettings, read_disk_settings
from tcptui.model.disk import DiskSetting, OnDisk

READ_EVERY_S = 30.0
"""The files of a machine take half a millisecond, and somebody may be editing them."""

_SEPARATORS = str.maketrans("./", "/.")


class DiskReader:
    """The files that set kernel parameters at boot."""

    def __init__(self, names: Iterable[str], clock: Callable[[], float]) -> None:
        """``names``, dotted, are looked for also in lines that set many parameters by a pattern."""
        self._names = tuple(names)
        self._clock = clock
        self._read_s = 0.0
        self._newest: OnDisk | None = None

    def read(self) -> OnDisk:
        """What they say, at most ``READ_EVERY_S`` old; the same object while it is not read again."""
        now_s = self._clock()
        if self._newest is None or now_s - self._read_s >= READ_EVERY_S:
            self._newest, self._read_s = self._read(), now_s
        return self._newest

    def _read(self) -> OnDisk:
        found = read_disk_settings()
        by_pattern = {name: setting for name in self._names if (setting := found.find(name)) is not None}
        settings = {name: _setting(name, setting) for name, setting in {**found.settings, **by_pattern}.items()}
        overridden = {
            name: tuple(_losers(name, each, found)) for name, each in {**found.settings, **by_pattern}.items()
        }
        return OnDisk(settings, overridden, found.unreadable, found.reader.value)


def _losers(name: str, winner: FoundSetting, found: DiskSettings) -> Iterator[DiskSetting]:
    """The lines that lose against ``winner``: those for the parameter, and earlier ones of the same pattern."""
    for key in dict.fromkeys((name, winner.name)):
        yield from (_setting(name, each) for each in found.overridden.get(key, ()))


def _setting(name: str, found: FoundSetting) -> DiskSetting:
    """The setting of one parameter, which a line may set by a pattern."""
    path = parameter_path("").rstrip("/") + "/" + name.translate(_SEPARATORS)
    return DiskSetting(name, found.value, found.path, found.line, is_known=os.path.lexists(path))
