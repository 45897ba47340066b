"""Each format as it is, byte for byte: the calm scene's first sample, which is the same everywhere and at any time.

After a change that is meant, look at the new files in the diff: ``python -m tests.export.test_golden`` writes them.
"""

import sys
from pathlib import Path

import pytest

from tcptui.cli import main
from tcptui.errors import ExitCode

CALM = Path(__file__).parent.parent / "data" / "calm"

VIEWS = {
    "peers": ["--view", "peers", "--limit", "3"],
    "networks": ["--view", "peers", "--prefix", "26", "exclude", "listen"],
    "states": ["--view", "states"],
    "processes": ["--view", "processes", "--sort=process"],
    "services": ["--view", "services"],
    "namespaces": ["--view", "namespaces", "exclude", "listen"],
    "listeners": ["--view", "listeners"],
    "ports": ["--view", "ports", "--sort=port"],
    "connections": ["--view", "connections", "--limit", "2", "--sort=-cookie", "established"],
}
FILES = [
    *(f"peers.{ending}" for ending in ("txt", "csv", "json", "jsonl", "md", "html")),
    *("processes.txt", "processes.csv", "processes.json", "services.txt", "services.jsonl", "services.md"),
    *("namespaces.txt", "namespaces.csv"),
    *("networks.txt", "states.txt", "states.csv", "states.json", "listeners.txt", "listeners.jsonl", "ports.md"),
    *("connections.txt", "connections.csv", "connections.json", "connections.md", "connections.html"),
]


def write(name: str, folder: Path) -> bytes:
    path = folder / name
    words = VIEWS[path.stem]
    assert main(["snapshot", "--demo", "calm", "-o", str(path), "--force", *words]) == ExitCode.OK
    return path.read_bytes()


@pytest.mark.parametrize("name", FILES)
def test_a_snapshot_is_what_it_was(name: str, tmp_path: Path) -> None:
    assert write(name, tmp_path).decode() == (CALM / name).read_text("utf-8")


def test_a_table_on_standard_output_is_what_it_was(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """Programs read it: what a file needs to stand alone is not on it."""
    assert main(["snapshot", "--demo", "calm", *VIEWS["peers"]]) == ExitCode.OK
    assert capfdbinary.readouterr().out.decode() == (CALM / "peers.table").read_text("utf-8")


def test_every_golden_file_is_compared() -> None:
    assert sorted([*FILES, "peers.table"]) == sorted(path.name for path in CALM.iterdir())


if __name__ == "__main__":
    for each in FILES:
        sys.stdout.write(f"{each}: {len(write(each, CALM))} bytes\n")
