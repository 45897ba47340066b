"""How findings are told apart without colour. Without the rules, so that panels may have it before the first frame."""

SEVERITY_MARKS = ("i", "△", "▲")
"""By ``Severity``: info, warning, critical."""
NOTHING_MARK = "✔"
"""Nothing wrong was seen."""
BEGUN = ("i", "▽", "▼")
"""In the upper edge of the chart, by ``Severity``: there something began; states have other marks in the chart."""
ENDED = "×"
