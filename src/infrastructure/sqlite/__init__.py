"""A store in one SQLite file.

The hot path and the reading commands run prepared SQL (`statements`) on the driver connections of
our own factory (`connection`). SQLAlchemy owns the schema (`schema`), and with Alembic the upgrades
(`upgrade`); both are imported only when an upgrade is due.
"""
