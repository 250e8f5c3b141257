"""Fixtures of pytest: a fresh store, a clock to turn, and an engine that is opened on it.

In ``conftest.py``: ``pytest_plugins = ["holdfast.testing.fixtures"]``. A fixture of the same name
in the tests takes the place of one of these: of ``holdfast_registry``, to have the program's
handlers; of ``holdfast_store_kind``, to have a store of another kind.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..infrastructure.clock import ManualClock
from ..interface.engine import Engine
from ..interface.opening import open as open_engine
from ..interface.registry import Registry
from .fresh import fresh_store

try:
    import pytest
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "holdfast.testing.fixtures are fixtures of pytest: install pytest, or, from a checkout, "
        "'.[testing]'; holdfast.testing.fresh_engine needs nothing",
        name=error.name,
    ) from error


@pytest.fixture
def holdfast_store_kind() -> str:
    """Return what kind of store it is: ``"memory"``; it may be ``"sqlite"`` or ``"json"``."""
    return "memory"


@pytest.fixture
def holdfast_store(holdfast_store_kind: str) -> Iterator[str]:
    """Give the target of a store that is not there yet; after the test it is gone."""
    with fresh_store(holdfast_store_kind) as target:
        yield target


@pytest.fixture
def holdfast_clock() -> ManualClock:
    """Return the clock of `holdfast_engine`: it stands still until it is turned.

    ``holdfast_clock.advance(timedelta(minutes=31))``, and what was left alone is stale.
    """
    return ManualClock()


@pytest.fixture
def holdfast_registry() -> Registry:
    """Return the handlers of `holdfast_engine`: none, unless the tests say so."""
    return Registry()


@pytest.fixture
def holdfast_engine(
    holdfast_store: str, holdfast_clock: ManualClock, holdfast_registry: Registry
) -> Iterator[Engine]:
    """Give an engine on a fresh store, with a clock to turn; closed after the test."""
    opened = open_engine(
        holdfast_store, registry=holdfast_registry, clock=holdfast_clock, durability="process"
    )
    with opened as engine:
        yield engine
