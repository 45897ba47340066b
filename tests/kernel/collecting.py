"""A sink that keeps what the decoder hands on."""

import struct
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from tcptui.kernel.decode import Attributes, Decoder
from tests.kernel.messages import DecodedRow


class Collector:
    """Rows in the order they came, copied: the decoder may reuse its buffers."""

    def __init__(self) -> None:
        self.rows: list[DecodedRow] = []

    def __call__(self, messages: NDArray[np.void], attributes: Attributes) -> None:
        count = len(messages)
        marks = [0] * count if attributes.marks is None else attributes.marks.tolist()
        infos = [[0] * count] * 3 if attributes.infos is None else [each.tolist() for each in attributes.infos]
        assert count > 0
        for values, *brought in zip(messages.tolist(), attributes.cgroup_ids.tolist(), marks, *infos, strict=True):
            src, dst = struct.pack(">QQ", *values[6:8]), struct.pack(">QQ", *values[8:10])
            self.rows.append(DecodedRow._make((*values[:6], src, dst, *values[10:], *brought)))


def feed(decoder: Decoder, datagrams: Iterable[bytes]) -> None:
    """Let the decoder take each datagram from one buffer that is used again and again, as the netlink reader does."""
    buffer = bytearray(64 * 1024)
    words = np.frombuffer(buffer, np.uint32)
    for datagram in datagrams:
        buffer[: len(datagram)] = datagram
        decoder.feed(words[: len(datagram) // 4])
        buffer[: len(datagram)] = b"\xff" * len(datagram)


def decoded(
    datagrams: Iterable[bytes], sequence: int, *, wants_marks: bool = False, wants_info: bool = False
) -> tuple[Decoder, list[DecodedRow]]:
    """A decoder that has taken the datagrams, and its rows."""
    collector = Collector()
    decoder = Decoder(sequence, collector, wants_marks=wants_marks, wants_info=wants_info)
    feed(decoder, datagrams)
    return decoder, collector.rows
