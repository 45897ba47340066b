"""Kernel parameters that do nothing, do what nobody expects, or do not help with what is the case."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from tcptui.diagnosis.evidence import Evidence
from tcptui.diagnosis.finding import Confidence, Fact, Severity
from tcptui.diagnosis.rule import Input, Rule, Seen, parameter_fact
from tcptui.diagnosis.sockets import connections
from tcptui.language import mark, tr
from tcptui.model.disk import DiskSetting
from tcptui.model.states import TcpState

_NO_EFFECT = {
    "net.ipv4.tcp_tw_recycle": mark("it is gone since Linux 4.12"),
    "net.ipv4.ip_conntrack_max": mark("it is gone since Linux 4.9; net.netfilter.nf_conntrack_max is its name"),
    "net.ipv4.tcp_low_latency": mark("the kernel ignores it"),
    "net.ipv4.tcp_fack": mark("the kernel ignores it"),
    "net.ipv4.tcp_adv_win_scale": mark("the kernel ignores it since Linux 6.6"),
    "net.ipv4.udp_wmem_min": mark("the kernel ignores it"),
}
"""FACTS section 2.5."""
_OLD_CONNTRACK = "net.ipv4.netfilter.ip_conntrack_"
_OURS = re.compile(r"net\.ipv4\.tcp_[a-z0-9_]+")
"""Names that this kernel would have if there were such parameters; others may come with a module."""


def dead_settings(evidence: Evidence) -> Iterator[Seen]:
    """R26: a file sets a parameter that has no effect on this kernel."""
    assert evidence.sample.disk is not None
    for setting in evidence.sample.disk.settings.values():
        reason = _why_dead(setting)
        if reason is None:
            continue
        verdict = tr(
            "{name} is set in {place} without effect: {reason}", name=setting.name, place=setting.place, reason=reason
        )
        facts = (Fact(f"{setting.place}: {setting.name} = {setting.value}", topic=_topic(setting.name)),)
        yield Seen(Severity.INFO, Confidence.CERTAIN, verdict, facts, setting.name, 1)


def _why_dead(setting: DiskSetting) -> str | None:
    if setting.name in _NO_EFFECT:
        return tr(_NO_EFFECT[setting.name])
    if setting.name.startswith(_OLD_CONNTRACK):
        return tr(
            "it is gone since Linux 4.9; net.netfilter.nf_{rest} is its name", rest=setting.name.partition("ip_")[2]
        )
    if not setting.is_known and _OURS.fullmatch(setting.name):
        return tr("this kernel has no such parameter")
    return None


def _topic(name: str) -> str:
    return name if name in _NO_EFFECT and name != "net.ipv4.ip_conntrack_max" else ""


_DEFAULT_LOW = 32768
"""Where the range begins unless somebody has widened it: only then can listeners be in it by mistake."""
_MOST_PORTS = 5


@dataclass(frozen=True)
class _Risk:
    """A value of a parameter that does not do what people expect."""

    name: str
    is_risky: Callable[[int, Evidence], bool]
    law: str
    """What it does, said by ``tr``."""


def _is_low_buckets(value: int, evidence: Evidence) -> bool:
    """Whether it is less than half of what the kernel begins with: half of its hash table."""
    entries = evidence.parameter("net.ipv4.tcp_ehash_entries")
    return entries is not None and value < abs(entries) / 4


def _is_set(name: str, evidence: Evidence) -> bool:
    """Whether a file sets it, so that somebody has meant to."""
    return evidence.sample.disk is not None and name in evidence.sample.disk.settings


_ORPHANS, _SYN_BACKLOG = "net.ipv4.tcp_orphan_retries", "net.ipv4.tcp_max_syn_backlog"
_TIMESTAMPS, _COOKIES = "net.ipv4.tcp_timestamps", "net.ipv4.tcp_syncookies"

_RISKS = (
    _Risk(
        "net.ipv4.tcp_fin_timeout",
        lambda value, _: 61 <= value <= 119,
        mark("above 60 s an orphan in FIN_WAIT2 lives for twice what is above 60: shorter than asked"),
    ),
    _Risk(
        "net.ipv4.tcp_tw_reuse",
        lambda value, evidence: value == 1 and evidence.parameter(_TIMESTAMPS) == 0,
        mark("without tcp_timestamps it does nothing"),
    ),
    _Risk(_COOKIES, lambda value, _: value == 0, mark("without SYN cookies a flood shuts real clients out")),
    _Risk(
        "net.ipv4.tcp_abort_on_overflow",
        lambda value, _: value == 1,
        mark("clients are reset in a burst where they would have got in a second later"),
    ),
    _Risk(
        "net.ipv4.tcp_max_tw_buckets",
        _is_low_buckets,
        mark("a small table cuts orderly closes short, and peers get resets"),
    ),
    _Risk(
        _ORPHANS,
        lambda value, _: value == 1,
        mark("closed connections are given up after 0.6 s: answers to slow clients are cut off"),
    ),
    _Risk(
        _ORPHANS,
        lambda value, evidence: value == 0 and _is_set(_ORPHANS, evidence),
        mark("0 stands for 8, the longest of the values in use: not at once, but about 107 s"),
    ),
    _Risk(
        "net.ipv4.tcp_retries2",
        lambda value, _: value < 8,
        mark("below 8 connections are cut in a break of less than 100 s"),
    ),
    _Risk(
        _TIMESTAMPS,
        lambda value, _: value == 0,
        mark("without timestamps there is no tcp_tw_reuse, and SYN cookies lose options"),
    ),
    _Risk(
        "net.ipv4.tcp_keepalive_time",
        lambda value, _: value < 30,
        mark("each idle connection with SO_KEEPALIVE is probed all the time"),
    ),
    _Risk(
        _SYN_BACKLOG,
        lambda _, evidence: _is_set(_SYN_BACKLOG, evidence) and evidence.parameter(_COOKIES) == 1,
        mark("while tcp_syncookies is 1 it limits nothing"),
    ),
)


def risky_values(evidence: Evidence) -> Iterator[Seen]:
    """R27: a parameter has a value that does not do what people expect of it, or harms."""
    for risk in _RISKS:
        value = evidence.parameter(risk.name)
        if value is None or not risk.is_risky(value, evidence):
            continue
        verdict = tr("{name} = {value}: {law}", name=risk.name, value=value, law=tr(risk.law))
        facts = (*parameter_fact(evidence, risk.name), *_on_disk(evidence, risk.name))
        yield Seen(Severity.INFO, Confidence.CERTAIN, verdict, facts, risk.name, 1, explain=risk.name)
    yield from _overlap(evidence)


def _on_disk(evidence: Evidence, name: str) -> list[Fact]:
    disk = evidence.sample.disk
    setting = disk.settings.get(name) if disk is not None else None
    return [Fact(f"{setting.place}: {setting.name} = {setting.value}")] if setting is not None else []


def _overlap(evidence: Evidence) -> Iterator[Seen]:
    """Ports that a program listens on and connect() may take as well, so that it may not get them after a restart."""
    ports = evidence.sockets.ephemeral
    if ports is None or not evidence.sockets.knows("local_port"):
        return
    listening = evidence.sockets.at(TcpState.LISTEN)
    # A program that listens on an ephemeral port mostly lets the kernel choose it.
    served = np.flatnonzero(evidence.sockets.served_ports & ports)
    low = evidence.parameter("net.ipv4.ip_local_port_range")
    if not len(listening) or not len(served) or low is None or low >= _DEFAULT_LOW:
        return
    names = tr(", ").join(str(port) for port in served[:_MOST_PORTS].tolist())
    verdict = tr("connect() may take ports that programs listen on: {ports}", ports=names)
    facts = (
        Fact(tr("{count:,} listeners within the range", count=len(served)), connections(TcpState.LISTEN)),
        *parameter_fact(evidence, "net.ipv4.ip_local_port_range", "net.ipv4.ip_local_reserved_ports"),
    )
    yield Seen(
        Severity.INFO,
        Confidence.LIKELY,
        verdict,
        facts,
        "net.ipv4.ip_local_port_range",
        len(served),
        explain="net.ipv4.ip_local_reserved_ports",
    )


@dataclass(frozen=True)
class _Myth:
    """Parameters that are set for the sake of a state, and do not change it."""

    prefix: str
    states: tuple[TcpState, ...]
    least: str
    """Threshold of the number of sockets from which on somebody may have set it for them."""
    why: str


_CLOSING = (TcpState.FIN_WAIT1, TcpState.LAST_ACK, TcpState.CLOSING)
_MYTHS = (
    _Myth(
        "net.ipv4.tcp_keepalive_",
        (TcpState.CLOSE_WAIT,),
        "R01.thin",
        mark("keepalive does not close CLOSE_WAIT: it acts only with SO_KEEPALIVE, and frees no descriptor"),
    ),
    _Myth(
        "net.ipv4.tcp_keepalive_", _CLOSING, "R06.least", mark("keepalive is not sent while a FIN is unacknowledged")
    ),
    _Myth(
        "net.ipv4.tcp_fin_timeout",
        (TcpState.TIME_WAIT,),
        "R40.time_wait",
        mark("tcp_fin_timeout is for FIN_WAIT2; TIME_WAIT lasts 60 s whatever it says"),
    ),
    _Myth(
        "net.netfilter.nf_conntrack_tcp_timeout_",
        _CLOSING,
        "R06.least",
        mark("timeouts of the firewall's table end its entries, not sockets"),
    ),
)


def useless_fixes(evidence: Evidence) -> Iterator[Seen]:
    """R40: a file sets parameters that are said to help with what is the case here, and do not."""
    assert evidence.sample.disk is not None
    settings = evidence.sample.disk.settings
    for myth in _MYTHS:
        found = [setting for name, setting in settings.items() if name.startswith(myth.prefix)]
        count = evidence.sockets.count(*myth.states)
        if not found or count < evidence.threshold(myth.least):
            continue
        states = tr(", ").join(state.name for state in myth.states)
        verdict = tr(
            "{name} does not help with {count:,} {states}: {why}",
            name=found[0].name,
            count=count,
            states=states,
            why=tr(myth.why),
        )
        facts = (
            *(Fact(f"{each.place}: {each.name} = {each.value}") for each in found),
            Fact(tr("{count:,} in {state}", count=count, state=states), connections(*myth.states)),
        )
        yield Seen(
            Severity.INFO,
            Confidence.CERTAIN,
            verdict,
            facts,
            f"{myth.prefix} {states}",
            count,
            explain=myth.states[0].name,
            states=myth.states,
        )


RULES = (
    Rule(
        "R26",
        mark("Parameters without effect"),
        dead_settings,
        "parameters",
        mark("Take the line out of the file."),
        mark("Loading the files again: the kernel does not have it or does not heed it."),
        mark("The name exists in the first network namespace only, or with a module that is not loaded."),
        (),
        (Input.DISK, Input.KNOWN_KERNEL),
        is_about_sockets=False,
    ),
    Rule(
        "R27",
        mark("Values with a catch"),
        risky_values,
        "parameters",
        mark("Put it back to its default unless you know why it is so: tcptui explain says what it does."),
        mark("Changing it further without measuring."),
        mark("Somebody has set it on purpose and measured what it does."),
        (),
        (Input.PARAMETERS, Input.KNOWN_KERNEL),
    ),
    Rule(
        "R40",
        mark("Fixes that do not help"),
        useless_fixes,
        "myths",
        mark("Leave the parameter alone and see what the finding on the state says."),
        mark("The parameter that is named here."),
        mark("It was set for another reason."),
        (),
        (Input.DISK, Input.KNOWN_KERNEL),
    ),
)
