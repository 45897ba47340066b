"""All rules, in the order of their numbers."""

from tcptui.diagnosis.rules import (
    closing,
    counting,
    forgotten,
    limits,
    listening,
    opening,
    peers,
    ports,
    settings,
    stalls,
)

_PARTS = (forgotten, closing, opening, listening, ports, limits, stalls, counting, peers, settings)

RULES = tuple(sorted((rule for part in _PARTS for rule in part.RULES), key=lambda rule: rule.id))
