"""Memory that is given back, in a process of its own: the setting is for good."""

import subprocess
import sys

import pytest

from tcptui.kernel.allocation import LARGE_BYTES

_GROWTH = """
import sys
from tcptui.kernel.allocation import LARGE_BYTES, give_back_large_memory

def heap_bytes():
    with open("/proc/self/maps") as file:
        spans = [line.split()[0].split("-") for line in file if line.endswith("[heap]\\n")]
    return sum(int(end, 16) - int(start, 16) for start, end in spans)

if sys.argv[1] == "told" and not give_back_large_memory():
    sys.exit(3)
before = heap_bytes()
piece = bytearray(2 * LARGE_BYTES)
del piece
piece = bytearray(2 * LARGE_BYTES)
print(heap_bytes() - before)
"""


def heap_growth(*, is_told: bool) -> int:
    """By how much the heap grows for a second piece of twice ``LARGE_BYTES``, after a first was freed."""
    command = [sys.executable, "-c", _GROWTH, "told" if is_told else "untold"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 3:
        pytest.skip("this C library cannot be told")
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc/self/maps")
def test_large_pieces_stay_out_of_the_heap_however_many_were_freed() -> None:
    assert heap_growth(is_told=False) >= 2 * LARGE_BYTES
    assert heap_growth(is_told=True) < LARGE_BYTES
