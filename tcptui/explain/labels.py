"""The program's own words in an explanation, by name; their texts are ``data/<language>/labels.toml``."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Labels:
    """Headings, columns, reasons and units in one language."""

    actor: str
    ends: str
    limits: str
    governs: str
    many: str
    do: str
    avoid: str
    no_effect: str
    queues: str
    timer: str
    side: str
    entered: str
    left: str
    counters: str
    value: str
    now: str
    values: str
    changing: str
    not_does: str
    risk: str
    states: str
    see: str
    actor_program: str
    actor_peer: str
    actor_kernel: str
    actor_nobody: str
    actor_or: str
    column_parameter: str
    column_now: str
    column_default: str
    column_scope: str
    scope_namespace: str
    scope_machine: str
    changed: str
    empty: str
    default_is: str
    only_with: str
    absent_removed: str
    absent_since: str
    absent_since_about: str
    absent_module: str
    absent_machine: str
    absent_other: str
    not_read: str
    live_is: str
    live_missing: str
    default_line: str
    scope_namespace_line: str
    scope_machine_line: str
    read_only_line: str
    since_line: str
    since_about_line: str
    removed_line: str
    no_effect_line: str
    old_name_line: str
    governs_line: str
    unrelated_line: str
    default_half_of_hash: str
    default_hash_over_128: str
    default_conntrack_buckets: str
    assumed: str
    unknown: str
    short_acts: str
    short_ends: str
    seconds: str
    seconds_minutes: str
    seconds_hours: str
    unit_s: str
    unit_ms: str
    unit_us: str
    unit_bytes: str
    unit_pages: str
    unit_packets: str
    unit_ports: str
    list_separator: str
    topics_states: str
    topics_parameters: str


PLACEHOLDERS: Mapping[str, set[str]] = {
    "actor_or": {"first", "second"},
    "default_is": {"default"},
    "only_with": {"other", "value"},
    "absent_removed": {"version"},
    "absent_since": {"version"},
    "absent_since_about": {"version"},
    "absent_module": {"module"},
    "live_is": {"value"},
    "live_missing": {"reason"},
    "default_line": {"default"},
    "since_line": {"version"},
    "since_about_line": {"version"},
    "removed_line": {"version"},
    "old_name_line": {"name"},
    "governs_line": {"states"},
    "unrelated_line": {"states"},
    "default_half_of_hash": {"value"},
    "default_hash_over_128": {"value"},
    "default_conntrack_buckets": {"value"},
    "assumed": {"names"},
    "unknown": {"names"},
    "short_acts": {"actor"},
    "short_ends": {"text"},
    "seconds": {"n"},
    "seconds_minutes": {"n", "minutes"},
    "seconds_hours": {"n", "hours", "minutes"},
}
"""The names in braces that each text must hold, in every language."""
