"""Pure functions of tables: grouping, ordering, joins between samples. No input or output, no clock."""
