"""Property tests run under one profile."""

from tests.model import profile

__all__ = ["profile"]
