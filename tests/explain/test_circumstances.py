"""What an explanation says of this machine: files on disk, limits in use, counters, the selection."""

import pytest

from tcptui.explain.answers import explanation
from tcptui.explain.circumstances import Circumstances, NearestLimit
from tcptui.explain.commands import Selection
from tcptui.explain.explanation import CounterLine, Explanation, ParameterLine
from tcptui.explain.render import to_dict, to_markdown, to_text
from tcptui.model.disk import DiskSetting, OnDisk
from tests.explain.support import machine

FIN_TIMEOUT = "net.ipv4.tcp_fin_timeout"


def on_disk(*settings: DiskSetting, overridden: tuple[DiskSetting, ...] = ()) -> OnDisk:
    losers = {setting.name: tuple(each for each in overridden if each.name == setting.name) for setting in settings}
    return OnDisk({setting.name: setting for setting in settings}, losers)


def setting(name: str, value: str, line: int = 3, *, is_known: bool = True) -> DiskSetting:
    return DiskSetting(name, value, "/etc/sysctl.d/90-net.conf", line, is_known)


def line(told: Explanation, name: str) -> ParameterLine:
    return next(each for each in told.parameters if each.name == name)


def value_texts(told: Explanation) -> list[str]:
    section = told.section("value")
    assert section is not None
    return [each.text for each in section.lines]


# -- on disk -----------------------------------------------------------------------------------------------------------


def test_a_value_that_does_not_run_is_marked_wherever_the_parameter_stands() -> None:
    circumstances = Circumstances(machine(), disk=on_disk(setting(FIN_TIMEOUT, "30")))
    said = "on disk it is 30 (/etc/sysctl.d/90-net.conf:3): not what runs"
    in_state = line(explanation("FIN_WAIT2", circumstances), FIN_TIMEOUT)
    assert in_state.is_other_on_disk
    assert said in in_state.remarks[0]
    assert any(said in text for text in value_texts(explanation(FIN_TIMEOUT, circumstances)))
    overview = explanation("parameters", circumstances).section("on_disk")
    assert overview is not None
    assert [each.name for each in overview.parameters] == [FIN_TIMEOUT]


@pytest.mark.parametrize("written", ["60", "0x3c", "074", " 60 "])
def test_a_value_that_runs_is_only_told_at_the_parameter(written: str) -> None:
    circumstances = Circumstances(machine(), disk=on_disk(setting(FIN_TIMEOUT, written)))
    in_state = line(explanation("FIN_WAIT2", circumstances), FIN_TIMEOUT)
    assert (in_state.is_other_on_disk, in_state.remarks) == (False, ())
    told = value_texts(explanation(FIN_TIMEOUT, circumstances))
    assert "on disk too: /etc/sysctl.d/90-net.conf:3" in told


def test_a_changed_value_that_no_file_sets_is_said_to_be_lost() -> None:
    live = machine(tcp_fin_timeout="30")
    lost = "no sysctl file sets it"
    assert any(lost in text for text in value_texts(explanation(FIN_TIMEOUT, Circumstances(live, disk=OnDisk()))))
    assert not any(lost in text for text in value_texts(explanation(FIN_TIMEOUT, Circumstances(live))))
    unchanged = Circumstances(machine(), disk=OnDisk())
    assert not any(lost in text for text in value_texts(explanation(FIN_TIMEOUT, unchanged)))


def test_an_overridden_line_is_named_with_its_place() -> None:
    disk = on_disk(
        setting(FIN_TIMEOUT, "60"), overridden=(setting(FIN_TIMEOUT, "15", 1), setting(FIN_TIMEOUT, "60", 2))
    )
    told = value_texts(explanation(FIN_TIMEOUT, Circumstances(machine(), disk=disk)))
    assert [text for text in told if "overrides" in text] == [
        "also 15 in /etc/sysctl.d/90-net.conf:1: a later file overrides it"
    ]


@pytest.mark.parametrize(
    ("name", "topic"),
    [
        ("net.ipv4.tcp_tw_recycle", "net.ipv4.tcp_tw_recycle"),
        ("net.ipv4.tcp_fack", "net.ipv4.tcp_fack"),
        ("net.ipv4.ip_conntrack_max", "net.netfilter.nf_conntrack_max"),
    ],
)
def test_what_is_set_in_vain_is_flagged(name: str, topic: str) -> None:
    circumstances = Circumstances(machine(), disk=on_disk(setting(name, "1", is_known=False)))
    said = "set to 1 in /etc/sysctl.d/90-net.conf:3: does nothing on this kernel"
    assert said in value_texts(explanation(topic, circumstances))
    dead = explanation("parameters", circumstances).section("dead_on_disk")
    assert dead is not None
    assert [(each.label, each.text) for each in dead.lines] == [(name, said)]


def test_a_dead_setting_is_flagged_at_the_state_that_people_set_it_for() -> None:
    disk = on_disk(setting("net.ipv4.tcp_tw_recycle", "1", is_known=False))
    told = line(explanation("TIME_WAIT", Circumstances(machine(), disk=disk)), "net.ipv4.tcp_tw_recycle")
    assert told.is_other_on_disk
    assert told.role == "no effect here"
    assert "does nothing on this kernel" in told.remarks[0]


def test_a_name_about_tcp_that_does_not_exist_is_flagged() -> None:
    disk = on_disk(setting("net.ipv4.tcp_fin_timout", "5", is_known=False), setting("kernel.panic", "5", 9))
    dead = explanation("parameters", Circumstances(machine(), disk=disk)).section("dead_on_disk")
    assert dead is not None
    assert [each.label for each in dead.lines] == ["net.ipv4.tcp_fin_timout"]
    assert "this kernel has no such parameter" in dead.lines[0].text


def test_the_overview_says_so_where_nothing_is_wrong() -> None:
    told = to_text(explanation("parameters", Circumstances(machine(), disk=OnDisk())))
    assert "Every parameter that could be read is at its default" in told
    assert "Every parameter that a file sets has that value." in told
    assert "Nothing is set that this kernel ignores." in told


def test_the_overview_names_files_that_cannot_be_read() -> None:
    disk = OnDisk(unreadable=(("/etc/sysctl.d/50-x.conf", "Permission denied"),))
    told = to_text(explanation("parameters", Circumstances(machine(), disk=disk)))
    assert "/etc/sysctl.d/50-x.conf: Permission denied" in told


def test_the_overview_of_another_namespace_leaves_the_files_out() -> None:
    told = explanation("parameters", Circumstances(machine(tcp_fin_timeout="5")))
    assert "What files set is not about this namespace" in to_text(told)
    changed = told.section("changed_parameters")
    assert changed is not None
    assert [each.name for each in changed.parameters] == [FIN_TIMEOUT]


# -- in use and read-only ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("topic", "counters", "said"),
    [
        ("net.ipv4.tcp_max_tw_buckets", {"sockstat.TCP.tw": 65536}, "in use: 65,536 of 131,072 (50 %)"),
        ("net.ipv4.tcp_max_orphans", {"sockstat.TCP.orphan": 13}, "in use: 13 of 131,072 (<0.1 %)"),
        ("net.ipv4.tcp_mem", {"sockstat.TCP.mem": 57580}, "in use: 224 of 2,249 MiB (10 %)"),
        ("fs.file-max", {}, "in use: 383 of 2,466,177 (<0.1 %)"),
        ("net.netfilter.nf_conntrack_max", {}, "in use: 0 of 262,144 (0 %)"),
    ],
)
def test_a_limit_says_how_much_of_it_is_in_use(topic: str, counters: dict[str, int], said: str) -> None:
    assert said in value_texts(explanation(topic, Circumstances(machine(), counters)))


def test_the_ports_left_after_the_reserved_ones_are_counted() -> None:
    live = machine(ip_local_port_range="32768 32867", ip_local_reserved_ports="32768-32777,40000")
    assert "connect() has 90 ports" in to_text(explanation("net.ipv4.ip_local_port_range", Circumstances(live)), 200)


def test_nothing_is_said_of_use_where_it_is_not_known() -> None:
    assert not any("in use" in text for text in value_texts(explanation("net.ipv4.tcp_mem", Circumstances(machine()))))


def test_the_process_nearest_to_its_limit_is_named() -> None:
    nearest = NearestLimit("java", 812, 980, 1024)
    told = to_text(explanation("RLIMIT_NOFILE", Circumstances(machine(), nearest_limit=nearest)))
    assert "nearest to its limit here: java (812), 980 of 1,024" in told


def test_what_nobody_can_change_is_said_to_be_read_only() -> None:
    circumstances = Circumstances(machine(), read_only=frozenset({"net.core.rmem_max"}))
    told = explanation("net.core.rmem_max", circumstances)
    assert "nobody can change it from here" in value_texts(told)
    bears = to_dict(explanation("SO_RCVBUF", circumstances))["sections"]
    assert isinstance(bears, list)
    lines = {line["name"]: line for section in bears for line in section.get("parameters", ())}
    assert lines["net.core.rmem_max"]["read_only"] is True
    assert "nobody" not in to_text(explanation("net.core.rmem_max", Circumstances(machine())))


# -- counters ----------------------------------------------------------------------------------------------------------


def counters_of(told: Explanation) -> dict[str, CounterLine]:
    return {each.name: each for section in told.sections for each in section.counters}


def test_counters_of_a_state_stand_with_their_values_and_rates() -> None:
    circumstances = Circumstances(
        machine(), {"TcpExt.ListenOverflows": 12_345, "sockstat.TCP.tw": 7}, {"TcpExt.ListenOverflows": 2.5}
    )
    told = explanation("LISTEN", circumstances)
    overflows = counters_of(told)["TcpExt.ListenOverflows"]
    assert (overflows.value, overflows.rate_per_s) == (12_345, 2.5)
    for width in (34, 80):
        row = next(text for text in to_text(told, width).splitlines() if text.startswith("  ListenOverflows"))
        assert row.split() == ["ListenOverflows", "12,345", "+2.5/s"]
    assert "`TcpExt.ListenOverflows`: 12,345 (+2.5/s)" in to_markdown(told)


def test_a_gauge_has_no_rate() -> None:
    circumstances = Circumstances(machine(), {"sockstat.TCP.tw": 7}, {"sockstat.TCP.tw": 3.0})
    assert counters_of(explanation("TIME_WAIT", circumstances))["sockstat.TCP.tw"].rate_per_s is None
    assert "/s" not in " ".join(value_texts(explanation("sockstat.TCP.tw", circumstances)))


# -- commands ----------------------------------------------------------------------------------------------------------


def commands_of(told: Explanation) -> list[str]:
    section = told.section("commands")
    assert section is not None
    return [each.text for each in section.lines if each.kind == "command"]


def test_commands_are_filled_in_for_the_selection() -> None:
    selection = Selection("ss -N blue -tanoep dst 10.1.2.3", "host 10.1.2.3", "ip netns exec blue")
    ss, tcpdump, nstat = commands_of(explanation("CLOSE_WAIT", Circumstances(machine(), selection=selection)))
    assert ss == "ss -N blue -tanoep dst 10.1.2.3"
    assert tcpdump.startswith("ip netns exec blue tcpdump -nni any 'host 10.1.2.3 and (tcp[tcpflags] & (tcp-fin|")
    assert nstat == "ip netns exec blue nstat -asz TcpEstabResets"


def test_commands_without_a_selection_are_about_the_state() -> None:
    ss, tcpdump, _ = commands_of(explanation("FIN_WAIT2", Circumstances(machine())))
    assert ss == "ss -tanoepi state fin-wait-2"
    assert "0x5 != 0" in tcpdump
    assert commands_of(explanation("BOUND_INACTIVE", Circumstances(machine())))[0] == "ss -tnoepi -B"
    assert not any(each.startswith("ss") for each in commands_of(explanation("CLOSE", Circumstances(machine()))))
