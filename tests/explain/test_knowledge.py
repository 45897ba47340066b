"""The data files: what must be in them, and that a mistake in them is found."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tcptui.errors import ExitCode
from tcptui.explain.bounds import BOUNDS
from tcptui.explain.entries import STATE_NAMES, Knowledge, StateEntry
from tcptui.explain.knowledge import DATA, load, load_from
from tcptui.explain.reader import KnowledgeError, Table, read_toml
from tcptui.model.states import TcpState

KERNEL_NAME = re.compile(r"(?<![\w.])(?:net\.\w+\.)?(?:tcp|nf_conntrack|ip_local|ip_autobind)_[a-z0-9_]+")


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The data files, to be spoilt."""
    return Path(shutil.copytree(DATA, tmp_path / "data"))


def spoil(folder: Path, file: str, old: str, new: str) -> None:
    """Replace the first ``old`` in a file."""
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def words_of(knowledge: Knowledge) -> Iterator[tuple[str, str]]:
    """Every sentence of the language files with where it stands."""
    for file in ("states", "parameters", "bounds"):
        yield from _texts(read_toml(DATA / knowledge.language / f"{file}.toml"), file)


def _texts(value: object, where: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _texts(each, f"{where}: {key}")
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each, where)


# -- what is in them -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", STATE_NAMES)
def test_every_state_has_all_parts(knowledge: Knowledge, state: str) -> None:
    entry = knowledge.states[state]
    for part in ("summary", "side", "entered", "left", "actor", "many", "timer", "source"):
        assert getattr(entry, part), part
    for part in ("ends", "actors", "do", "avoid", "queues", "counters"):
        assert getattr(entry, part), part


@pytest.mark.parametrize("state", set(TcpState) - {TcpState.CLOSE, TcpState.CLOSE_WAIT})
def test_every_state_that_parameters_rule_names_them(knowledge: Knowledge, state: TcpState) -> None:
    assert knowledge.states[state.name].parameters
    assert knowledge.states[state.name].unrelated


def test_no_parameter_is_named_as_a_cure_of_close_wait(knowledge: Knowledge) -> None:
    entry = knowledge.states["CLOSE_WAIT"]
    assert entry.parameters == entry.modifiers == ()
    assert not any("tcp_" in text for text in entry.do)
    assert not any(case.bound for case in entry.ends)


def test_fin_timeout_matters_to_fin_wait2_alone(knowledge: Knowledge) -> None:
    name = "net.ipv4.tcp_fin_timeout"
    assert [entry.name for entry in knowledge.states.values() if name in entry.parameters] == ["FIN_WAIT2"]
    for state in (TcpState.TIME_WAIT, TcpState.FIN_WAIT1, TcpState.LAST_ACK, TcpState.CLOSING, TcpState.CLOSE_WAIT):
        assert name in knowledge.states[state.name].unrelated


def test_keepalive_matters_to_established_alone(knowledge: Knowledge) -> None:
    name = "net.ipv4.tcp_keepalive_time"
    assert [entry.name for entry in knowledge.states.values() if name in entry.parameters] == ["ESTABLISHED"]


def test_no_conntrack_timeout_matters_to_a_socket(knowledge: Knowledge) -> None:
    for entry in knowledge.states.values():
        assert not any("conntrack" in name for name in (*entry.parameters, *entry.modifiers))


def test_orphan_retries_matter_where_a_fin_is_sent_again(knowledge: Knowledge) -> None:
    name = "net.ipv4.tcp_orphan_retries"
    governed = {entry.name for entry in knowledge.states.values() if name in entry.parameters}
    assert governed == {"FIN_WAIT1", "LAST_ACK", "CLOSING"}


def test_dead_parameters_govern_nothing(knowledge: Knowledge) -> None:
    dead = {name for name, entry in knowledge.parameters.items() if entry.is_dead}
    assert {"net.ipv4.tcp_tw_recycle", "net.ipv4.tcp_low_latency", "net.ipv4.tcp_fack"} <= dead
    for entry in knowledge.states.values():
        assert not dead & {*entry.parameters, *entry.modifiers}


def test_a_state_whose_law_is_told_names_the_laws_parameters(knowledge: Knowledge) -> None:
    for entry in knowledge.states.values():
        for case in (*entry.ends, *entry.limits):
            if case.bound:
                assert {*BOUNDS[case.bound].parameters} <= {*entry.parameters, *entry.modifiers}, entry.name


@pytest.mark.parametrize(
    ("short", "default"),
    [  # FACTS section 2
        ("tcp_fin_timeout", "60"),
        ("tcp_tw_reuse", "2"),
        ("tcp_tw_reuse_delay", "1000"),
        ("tcp_orphan_retries", "0"),
        ("tcp_rfc1337", "0"),
        ("tcp_syn_retries", "6"),
        ("tcp_syn_linear_timeouts", "4"),
        ("tcp_synack_retries", "5"),
        ("tcp_syncookies", "1"),
        ("tcp_abort_on_overflow", "0"),
        ("ip_local_port_range", "32768 60999"),
        ("tcp_retries1", "3"),
        ("tcp_retries2", "15"),
        ("tcp_rto_min_us", "200000"),
        ("tcp_rto_max_ms", "120000"),
        ("tcp_keepalive_time", "7200"),
        ("tcp_keepalive_probes", "9"),
        ("tcp_keepalive_intvl", "75"),
        ("tcp_timestamps", "1"),
    ],
)
def test_defaults_are_those_of_the_fact_sheet(knowledge: Knowledge, short: str, default: str) -> None:
    assert knowledge.parameters[f"net.ipv4.{short}"].default == default


def test_short_names_are_unique(knowledge: Knowledge) -> None:
    shorts = [entry.short_name for entry in knowledge.parameters.values()]
    assert len(shorts) == len(set(shorts))


def test_every_parameter_that_a_sentence_names_has_an_entry(knowledge: Knowledge) -> None:
    known = {*knowledge.parameters, *(entry.short_name for entry in knowledge.parameters.values())}
    for where, text in words_of(knowledge):
        assert {*KERNEL_NAME.findall(text)} <= known, where


def test_every_value_that_a_parameter_explains_is_listed_once(knowledge: Knowledge) -> None:
    for entry in knowledge.parameters.values():
        if entry.values and entry.default is not None:
            assert entry.default in entry.values, entry.name


def test_every_sentence_ends_like_one(knowledge: Knowledge) -> None:
    def sentences(entry: StateEntry) -> Iterator[str]:
        yield from (entry.summary, entry.side, entry.entered, entry.left, entry.actor, entry.many, entry.timer)
        yield from entry.do
        yield from (advice.why for advice in entry.avoid)
        yield from (reading.text for reading in entry.queues)
        yield from (case.text for case in (*entry.ends, *entry.limits) if case.text)

    for entry in knowledge.states.values():
        assert all(text.endswith((".", "?")) for text in sentences(entry)), entry.name
    for parameter in knowledge.parameters.values():
        assert all(text.endswith(".") for text in (parameter.does, *parameter.not_does)), parameter.name
    for bound in knowledge.bounds.values():
        assert all(text.endswith(".") for text in bound.sentences.values()), bound.label


# -- mistakes that are found -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "old", "new", "complaint"),
    [
        (
            "en/states.toml",
            'summary = "The conn',
            'sumary = "The conn',
            r"en/states\.toml: ESTABLISHED: summary: is miss",
        ),
        ("en/states.toml", 'side = "Both sides."', 'side = ""', r"en/states\.toml: ESTABLISHED: side: is empty"),
        ("en/states.toml", 'side = "Both sides."', "side = 1", r"ESTABLISHED: side: expected text"),
        ("en/states.toml", 'side = "Both sides."', 'side = "x"\nwhy = "x"', r"ESTABLISHED: why: unknown key"),
        ("en/states.toml", "[ESTABLISHED]", "[ESTABLISH]", r"en/states\.toml: ESTABLISH: unknown state"),
        ("en/states.toml", 'what = "tcp_fin_timeout"', 'waht = "tcp_fin"', r"ESTABLISHED: not\[0\]: what: is missing"),
        ("en/states.toml", 'idle = { label = "idle" }', "", r"ESTABLISHED: ends: idle: is missing"),
        (
            "en/states.toml",
            'idle = { label = "idle" }',
            'idle = {label="i"}\nmore = {label="m"}',
            r"ends: more: unknown key",
        ),
        (
            "en/states.toml",
            "about {about}.",
            "about {abuot}.",
            r"ESTABLISHED: short: ends: unknown placeholder 'abuot'",
        ),
        ("en/states.toml", "about {about}.", "about {about.", r"ESTABLISHED: short: ends: "),
        (
            "en/states.toml",
            '"net.ipv4.tcp_retries2" =',
            '"net.ipv4.tcp_mem" =',
            r"ESTABLISHED: notes: net\.ipv4\.tcp_mem",
        ),
        ("states.toml", "[TIME_WAIT]", "[TIMEWAIT]", r"^states\.toml: TIMEWAIT: unknown state"),
        ("states.toml", 'source = "1.1"', "", r"^states\.toml: ESTABLISHED: source: is missing"),
        ("states.toml", 'actor = ["peer"]', 'actor = ["router"]', r"SYN_SENT: actor: unknown value 'router'"),
        ("states.toml", 'actor = ["peer"]', "actor = []", r"SYN_SENT: actor: is empty"),
        (
            "states.toml",
            'bound = "keepalive"',
            'bound = "keep"',
            r"ESTABLISHED: ends\[0\]: bound: unknown value 'keep'",
        ),
        (
            "states.toml",
            '"net.ipv4.tcp_tw_reuse"]',
            '"net.ipv4.tw"]',
            r"unrelated: names net\.ipv4\.tw, which has no entry",
        ),
        (
            "states.toml",
            '"net.ipv4.tcp_tw_reuse"]',
            '"net.ipv4.tcp_retries2"]',
            r"is among the parameters that matter too",
        ),
        (
            "states.toml",
            'modifiers = ["net.ipv4.tcp_rto_max_ms", "net.ipv4.tcp_rto_min_us"]',
            "modifiers = []",
            r"ESTABLISHED: parameters: law retries2 reads net\.ipv4\.tcp_rto_max_ms, which is not named here",
        ),
        ("parameters.toml", 'scope = "namespace"', 'scope = "host"', r"tcp_fin_timeout: scope: unknown value 'host'"),
        ("parameters.toml", 'unit = "s"', 'unit = "sec"', r"tcp_fin_timeout: unit: unknown value 'sec'"),
        ("parameters.toml", 'unit = "s"', "unti = 1", r"tcp_fin_timeout: unti: unknown key"),
        (
            "parameters.toml",
            'default = "60"',
            "",
            r"en/parameters\.toml: net\.ipv4\.tcp_fin_timeout: default: is missing",
        ),
        (
            "parameters.toml",
            'bounds = ["fin_wait2"]',
            'bounds = ["fin"]',
            r"tcp_fin_timeout: bounds: unknown value 'fin'",
        ),
        (
            "parameters.toml",
            'see = ["net.ipv4.tcp_tw_r',
            'see = ["net.ipv4.tcp_tw_t',
            r"names net\.ipv4\.tcp_tw_teuse_delay",
        ),
        ("parameters.toml", 'default_from = "half_of_hash"', 'default_from = "h"', r"tcp_max_tw_buckets: default_from"),
        ("parameters.toml", "no_effect = true", 'no_effect = "yes"', r"no_effect: expected true or false"),
        (
            "en/parameters.toml",
            '["net.ipv4.tcp_rfc1337"]',
            '["net.ipv4.tcp_rfc"]',
            r"net\.ipv4\.tcp_rfc1337: is missing",
        ),
        ("en/parameters.toml", "not_does = [", 'not_does = "x"\nq = [', r"not_does: expected a list"),
        ("en/bounds.toml", "[fin_wait2]", "[fin_wait]", r"en/bounds\.toml: fin_wait2: is missing"),
        ("en/bounds.toml", "above_60 =", "above_70 =", r"en/bounds\.toml: fin_wait2: above_60: is missing"),
        (
            "en/bounds.toml",
            "about {about}",
            "about {seconds}",
            r"en/bounds\.toml: retries2: usual: unknown placeholder",
        ),
        ("en/labels.toml", "side =", "sied =", r"en/labels\.toml: side: is missing"),
        ("en/labels.toml", '"{n} s"', '"{m} s"', r"en/labels\.toml: seconds: expected the placeholders: n"),
        ("en/labels.toml", "side =", 'more = "x"\nside =', r"en/labels\.toml: more: unknown key"),
        ("en/labels.toml", "side =", "side ==", r"cannot read .*labels\.toml"),
    ],
)
def test_a_mistake_names_the_file_and_the_key(copy: Path, file: str, old: str, new: str, complaint: str) -> None:
    spoil(copy, file, old, new)
    with pytest.raises(KnowledgeError, match=complaint) as caught:
        load_from(copy, "en")
    assert caught.value.exit_code is ExitCode.SOURCE


@pytest.mark.parametrize("file", ["states.toml", "parameters.toml", "en/states.toml", "en/bounds.toml"])
def test_a_missing_file_is_named(copy: Path, file: str) -> None:
    (copy / file).unlink()
    with pytest.raises(KnowledgeError, match=re.escape(file)):
        load_from(copy, "en")


def test_a_missing_state_is_named(copy: Path) -> None:
    path = copy / "en/states.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text[: text.index("[CLOSING]")], encoding="utf-8")
    with pytest.raises(KnowledgeError, match=r"en/states\.toml: CLOSING: is missing"):
        load_from(copy, "en")


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(KnowledgeError, match="'xx'"):
        load("xx")


def test_the_files_are_read_once() -> None:
    assert load() is load("en")
    assert load("zh") is load("zh")


@pytest.mark.parametrize(
    ("content", "take", "complaint"),
    [
        ([], lambda table: table, "t: expected a table"),
        ({"a": {"b": 1}}, lambda table: table.table("a").text("b"), "t: a: b: expected text"),
        ({"a": ["", "x"]}, lambda table: table.texts("a"), "t: a: expected a list of texts"),
        ({"a": [1]}, lambda table: table.tables("a"), r"t: a\[0\]: expected a table"),
        ({"a": {"b": ""}}, lambda table: table.mapping("a"), "t: a: b: is empty"),
    ],
)
def test_a_table_says_where_it_is(content: object, take: Callable[[Table], object], complaint: str) -> None:
    with pytest.raises(KnowledgeError, match=complaint):
        take(Table(content, "t"))
