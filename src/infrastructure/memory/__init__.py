"""A store in memory: for tests, and for programs that want the API without a file."""

from .store import MemoryStore

__all__ = ["MemoryStore"]
