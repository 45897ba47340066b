"""What the user has configured, in a TOML file of their own, and what the program remembers between runs.

May import ``errors``, ``files``, ``language``, ``text`` and ``wrapping`` alone. What a setting means is for whoever
uses it: here it is only read and checked.
"""
