"""Rewrites the file of messages: ``python -m tests.messages``."""

from __future__ import annotations

from .collecting import FILE, collect

FILE.write_text(collect()[0])
