"""The rules, by what they are about. Each is a pure function and a declaration; ``catalogue`` has them all."""
