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
    varies: str
    value_default: str
    value_changed: str
    value_unknown: str
    value_missing: str
    only_with: str
    absent_removed: str
    absent_since: str
    absent_since_about: str
    absent_module: str
    absent_machine: str
    absent_other: str
    not_read: str
    live_is: str
    live_changed: str
    live_missing: str
    history_line: str
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
    default_computed: str
    assumed: str
    unknown: str
    short_acts: str
    short_ends: str
    seconds: str
    seconds_minutes: str
    seconds_hours: str
    seconds_hours_minutes: str
    unit_s: str
    unit_ms: str
    unit_us: str
    unit_bytes: str
    unit_pages: str
    unit_packets: str
    unit_ports: str
    list_separator: str
    sentence_gap: str
    colon: str
    topics_states: str
    topics_parameters: str
    topics_counters: str
    topics_options: str
    topics_columns: str
    topics_myths: str
    topics_overviews: str
    commands: str
    command_rows: str
    command_packets: str
    command_counters: str
    myths: str
    claim: str
    verdict: str
    verdict_wrong: str
    verdict_outdated: str
    verdict_misleading: str
    topics: str
    reading: str
    use: str
    overrides: str
    bears: str
    socket_option: str
    process_limit: str
    kernel_constant: str
    system_call: str
    other_system: str
    nearest_limit: str
    counter: str
    gauge: str
    counter_now: str
    counter_rate: str
    counter_missing: str
    in_use: str
    in_use_mib: str
    in_use_count: str
    in_use_mib_count: str
    in_all_namespaces: str
    read_only_here: str
    read_only_here_line: str
    disk_same: str
    disk_differs: str
    disk_dead: str
    disk_none: str
    disk_overridden: str
    changed_parameters: str
    on_disk: str
    dead_on_disk: str
    unreadable: str
    overview_machine: str
    overview_parameters: str
    overview_parameters_title: str
    overview_myths: str
    overview_myths_title: str
    overview_columns: str
    overview_columns_title: str
    overview_topics: str
    overview_topics_title: str
    nothing_changed: str
    disk_not_read: str
    disk_agrees: str
    no_dead: str
    unknown_on_disk: str
    unknown_on_disk_near: str
    read_as: str


PLACEHOLDERS: Mapping[str, frozenset[str]] = {
    "actor_or": frozenset({"first", "second"}),
    "value_default": frozenset({"value"}),
    "value_changed": frozenset({"value", "default"}),
    "value_unknown": frozenset({"value", "default"}),
    "value_missing": frozenset({"reason", "default"}),
    "only_with": frozenset({"other", "value"}),
    "absent_removed": frozenset({"version"}),
    "absent_since": frozenset({"version"}),
    "absent_since_about": frozenset({"version"}),
    "absent_module": frozenset({"module"}),
    "live_is": frozenset({"value"}),
    "live_changed": frozenset({"value"}),
    "live_missing": frozenset({"reason"}),
    "history_line": frozenset({"text"}),
    "default_line": frozenset({"default"}),
    "since_line": frozenset({"version"}),
    "since_about_line": frozenset({"version"}),
    "removed_line": frozenset({"version"}),
    "old_name_line": frozenset({"name"}),
    "governs_line": frozenset({"states"}),
    "unrelated_line": frozenset({"states"}),
    "default_computed": frozenset({"value", "rule"}),
    "assumed": frozenset({"names"}),
    "unknown": frozenset({"names"}),
    "short_acts": frozenset({"actor"}),
    "short_ends": frozenset({"text"}),
    "claim": frozenset({"claim", "verdict"}),
    "socket_option": frozenset({"level"}),
    "nearest_limit": frozenset({"process", "pid", "used", "limit"}),
    "counter_now": frozenset({"value"}),
    "counter_rate": frozenset({"rate"}),
    "in_use": frozenset({"used", "limit", "percent"}),
    "in_use_mib": frozenset({"used", "limit", "percent"}),
    "in_use_count": frozenset({"used"}),
    "in_use_mib_count": frozenset({"used"}),
    "disk_same": frozenset({"place"}),
    "disk_differs": frozenset({"value", "place"}),
    "disk_dead": frozenset({"value", "place"}),
    "disk_overridden": frozenset({"value", "place"}),
    "unknown_on_disk": frozenset({"value", "place"}),
    "unknown_on_disk_near": frozenset({"value", "place", "name"}),
    "read_as": frozenset({"reader"}),
    "seconds": frozenset({"n"}),
    "seconds_minutes": frozenset({"n", "minutes"}),
    "seconds_hours": frozenset({"n", "hours"}),
    "seconds_hours_minutes": frozenset({"n", "hours", "minutes"}),
}
"""The names in braces that each text must hold, in every language."""
