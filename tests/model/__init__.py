"""The model: states, addresses, tables, fields, text."""
