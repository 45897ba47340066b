"""Random tables whose sockets are in several network namespaces."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from hypothesis import strategies as st

from tcptui.model.sample import Sample
from tests.model import random_tables
from tests.model.random_tables import Known, Socket, sockets

LABELS = ("self", "blue", "Green-2", "pid 812 nginx", "pid 77 Web Content", "a*[b]", "")
"""As a sample has them; an ended namespace has none."""


@dataclass(frozen=True)
class Placed(Socket):
    """One socket in a namespace."""

    netns: int = 0

    @property
    def values(self) -> dict[str, int]:
        """What the row's columns must hold."""
        return {**super().values, "netns": self.netns}


@dataclass(frozen=True)
class KnownPlaces(Known):
    """What is known beside the table, with the namespaces that its sockets are in."""

    namespaces: tuple[str, ...] = ("self",)


def namespaces_of(known: Known) -> tuple[str, ...]:
    """The labels; none where there is no sample to have them."""
    return known.namespaces if isinstance(known, KnownPlaces) else ()


def namespace_of(socket: Socket, known: Known) -> str | None:
    """The label of the namespace that ``socket`` is in; None where there is no sample to tell."""
    labels = namespaces_of(known)
    return labels[socket.netns if isinstance(socket, Placed) else 0] if labels else None


def known_sample_of(described: Iterable[Socket], known: Known) -> Sample:
    """A sample with these sockets and what is known beside them."""
    sample = random_tables.known_sample_of(described, known)
    return replace(sample, namespaces=namespaces_of(known) or sample.namespaces)


_several = st.lists(st.sampled_from(LABELS), min_size=2, max_size=4, unique=True).map(tuple)


@st.composite
def samples(draw: st.DrawFn, described: st.SearchStrategy[list[Socket]] = sockets) -> tuple[list[Socket], Known]:
    """Sockets of one namespace or of several, and what is known beside them."""
    drawn, known = draw(random_tables.samples(described))
    namespaces = draw(st.one_of(st.just(("self",)), st.just(("blue",)), _several, _several))
    places = st.integers(0, len(namespaces) - 1)
    placed: list[Socket] = [Placed(**vars(socket), netns=draw(places)) for socket in drawn]
    return placed, KnownPlaces(**vars(known), namespaces=namespaces)
