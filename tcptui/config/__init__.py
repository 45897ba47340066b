"""What the user has configured: one TOML file in the user's own configuration folder.

May import ``errors`` and ``text`` alone. What a setting means is for whoever uses it: here it is only read and checked.
"""
