"""A text as a source: one sample, and an account of what the text told."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from enum import Enum
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from tcptui.analysis.matching import factorize
from tcptui.model.address import address_text
from tcptui.model.sample import Cost, Origin, Sample, Whereabouts
from tcptui.model.table import Rows, SocketTable
from tcptui.query.request import EVERYTHING_PLAIN, Request
from tcptui.sources.names import machine_names
from tcptui.sources.pasted import facets
from tcptui.sources.pasted.ledger import Ledger
from tcptui.sources.pasted.lines import lines_of
from tcptui.sources.pasted.opening import STANDARD_INPUT, unreadable
from tcptui.sources.pasted.reader import Reader
from tcptui.sources.pasted.remarks import nothing_found, remarks
from tcptui.sources.pasted.row import told_fields
from tcptui.sources.tables import identities
from tcptui.text import printable


class Depth(Enum):
    """How much a text tells, for whoever judges it."""

    COUNTS = "counts"
    """Numbers of sockets by state, and perhaps by peer; none by itself."""
    ROWS = "rows"
    """Some sockets, or all, by themselves; but not all of them with what ``FULL`` has."""
    FULL = "full"
    """Every socket with its addresses, queues, timer, inode and user: all but its age and who holds it."""


@dataclass(frozen=True, eq=False)
class Pasted:
    """What was found in a text."""

    sample: Sample
    depth: Depth
    ledger: Ledger
    """What each line was taken for."""
    counted: int
    """Sockets that are known by counts only, among those of the sample."""


class PastedSource:
    """The sample that a text tells of, again and again."""

    def __init__(self, file: BinaryIO, path: str) -> None:
        """Read ``file``, which ``path`` names, to its end and close it.

        Raises:
            SourceError: it cannot be read.
            RequestError: nothing in it is about sockets.
        """
        name = "stdin" if path == STANDARD_INPUT else printable(path)
        try:
            with file:
                self.pasted = read_pasted(file, name, ("--from", path))
        except OSError as error:
            raise unreadable(name, error) from error

    @property
    def hosts(self) -> Mapping[str, tuple[str, ...]]:
        """What stands for the names in the text, as a filter takes it."""
        names = self.pasted.sample.address_names
        return {name: (address_text(*halves),) for halves, name in names.items()}

    def sample(self, request: Request = EVERYTHING_PLAIN) -> Sample:
        return self.pasted.sample

    def look(self, rows: Rows, budget_s: float = math.inf) -> Whereabouts | None:
        """Nothing is left to find out."""
        return None

    def close(self) -> None:
        """Nothing is held open."""


def read_pasted(file: BinaryIO, name: str, options: tuple[str, ...] = ()) -> Pasted:
    """What is found in ``file``, which is called ``name``.

    Raises:
        OSError: it cannot be read.
        RequestError: nothing in it is about sockets, or it counts more than can be believed.
    """
    started = time.perf_counter()
    reader = Reader(lambda: machine_names().services)
    reader.read(lines_of(file))
    rows, told, repeated = _last_sightings(reader)
    listed = len(rows)
    counted_rows, counted_told = reader.counts.rows_beyond(rows)
    rows, told = np.concatenate((rows, counted_rows)), np.concatenate((told, counted_told))
    if not len(rows) and not reader.is_listing:
        raise nothing_found(name, reader.ledger)
    rows["cookie"] = _identified(rows["cookie"], told)
    absent, untold = told_fields(told)
    surroundings = reader.surroundings
    spent_ms = (time.perf_counter() - started) * 1e3
    sample = Sample(
        origin=Origin(
            *(printable(surroundings.host), printable(surroundings.kernel), f"text {name}", ""),
            options=options,
            is_still=True,
            tells_time=surroundings.taken_at is not None,
        ),
        taken_at=surroundings.taken_at or datetime.now(timezone.utc),
        monotonic_s=time.monotonic(),
        table=SocketTable(rows),
        namespaces=("",),
        cost=Cost(decode_ms=spent_ms, total_ms=spent_ms),
        degraded=tuple(remarks(reader, absent, len(rows) - listed, repeated)),
        absent_fields=absent,
        untold=untold,
        address_names=reader.endpoints.names,
        whereabouts=Whereabouts(reader.store.owners(), reader.store.cgroups) if "holders" not in absent else None,
    )
    return Pasted(sample, _depth(told, listed), reader.ledger, len(rows) - listed)


def _last_sightings(reader: Reader) -> tuple[Rows, NDArray[np.uint16], int]:
    """The rows of all listings, of each connection the last; what is told of them; how many others there were.

    Listings of one machine, made after each other, show a socket that moved meanwhile twice. Within one, rows with the
    same ends are different sockets, such as listeners that share a port.
    """
    rows, told = reader.store.rows(), reader.store.told_of_rows()
    if len(reader.starts) < 2:
        return rows, told, 0
    section_of = np.searchsorted(np.array(reader.starts), np.arange(len(rows)), side="right")
    ends = rows.copy()
    ends["inode"] = ends["family"] = 0
    _, codes = factorize(identities(ends))
    newest = np.zeros(codes.max() + 1, np.int64)
    np.maximum.at(newest, codes, section_of)
    keep = (section_of == newest[codes]) | (told & np.uint16(facets.ENDS) != facets.ENDS)
    return rows[keep], told[keep], int(np.count_nonzero(~keep))


def _identified(cookies: NDArray[np.uint64], told: NDArray[np.uint16]) -> NDArray[np.uint64]:
    """The cookies, and numbers that tell rows apart where the text has none: above all that a kernel gives out."""
    numbers = np.arange(len(cookies), dtype=np.uint64) | np.uint64(1 << 63)
    return np.where(told & np.uint16(facets.COOKIE) != 0, cookies, numbers)


def _depth(told: NDArray[np.uint16], listed: int) -> Depth:
    if not listed:
        return Depth.COUNTS
    wanted = np.uint16(facets.ENDS | facets.QUEUES | facets.TIMER | facets.INODE | facets.UID)
    return Depth.FULL if (told & wanted == wanted).all() else Depth.ROWS
