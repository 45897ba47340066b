"""What the package costs and what it may touch."""

import subprocess
import sys

HEAVY = ("numpy", "textual", "rich", "psutil", "click", "lark")


def modules_after(statement: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after ``statement``."""
    program = f"{statement}; import sys; print(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_package_loads_nothing_of_it() -> None:
    loaded = modules_after("import tcptui.explain")
    assert {name for name in loaded if name.startswith("tcptui")} == {"tcptui", "tcptui.explain"}


def test_the_whole_package_stays_light() -> None:
    loaded = modules_after("import tcptui.explain.topics, tcptui.explain.answers, tcptui.explain.render")
    assert not loaded & set(HEAVY)
    assert not {name for name in loaded if name.startswith(("tcptui.kernel", "tcptui.sources", "tcptui.tui"))}


def test_nothing_is_read_before_something_is_asked() -> None:
    program = (
        "import tcptui.explain.topics as t, tcptui.explain.answers, tcptui.explain.render;"
        "from tcptui.explain.knowledge import _loaded;"
        "assert _loaded.cache_info().misses == 0;"
        "t.topic_names(); t.find_topic('TIME_WAIT'); assert _loaded.cache_info().misses <= 2"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
