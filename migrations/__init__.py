"""Alembic revisions of the SQLite schema; run by `holdfast.infrastructure.sqlite.upgrade`."""
