"""What an adapter must promise: one suite of pytest a port, which those of Holdfast pass.

Subclass the suites of the ports that you implement, each with the fixture that it names::

    pytest_plugins = ["holdfast.testing.contracts.fixtures"]  # in conftest.py

    from holdfast.testing.contracts import StoreContract

    class TestMyStore(StoreContract):
        @pytest.fixture
        def store(self, tmp_path):
            return MyStore(tmp_path)

A store passes `StoreContract`, and those of what its unit of work has:
`CheckpointRepositoryContract`, `SequenceGeneratorContract`, `LeaseStoreContract`,
`AttemptLogContract`, `EventLogContract`, `RetentionStoreContract` and `TransferContract`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

try:
    import pytest
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "holdfast.testing.contracts are suites of pytest: install pytest, or, from a checkout, "
        "'.[testing]'",
        name=error.name,
    ) from error

if TYPE_CHECKING:
    from .attempt_log import AttemptLogContract as AttemptLogContract
    from .checkpoint_repository import CheckpointRepositoryContract as CheckpointRepositoryContract
    from .clock import ClockContract as ClockContract
    from .codec import CodecContract as CodecContract
    from .event_log import EventLogContract as EventLogContract
    from .handler_registry import HandlerRegistryContract as HandlerRegistryContract
    from .host import HostContract as HostContract
    from .journal import JournalContract as JournalContract
    from .lease_store import LeaseStoreContract as LeaseStoreContract
    from .randomness import RandomnessContract as RandomnessContract
    from .retention_store import RetentionStoreContract as RetentionStoreContract
    from .sequence_generator import SequenceGeneratorContract as SequenceGeneratorContract
    from .transfer import TransferContract as TransferContract
    from .unit_of_work import StoreContract as StoreContract

_HOMES = {
    "AttemptLogContract": "attempt_log",
    "CheckpointRepositoryContract": "checkpoint_repository",
    "ClockContract": "clock",
    "CodecContract": "codec",
    "EventLogContract": "event_log",
    "HandlerRegistryContract": "handler_registry",
    "HostContract": "host",
    "JournalContract": "journal",
    "LeaseStoreContract": "lease_store",
    "RandomnessContract": "randomness",
    "RetentionStoreContract": "retention_store",
    "SequenceGeneratorContract": "sequence_generator",
    "StoreContract": "unit_of_work",
    "TransferContract": "transfer",
}
__all__ = [*_HOMES]  # noqa: PLE0604 - names, each

# Before they are imported: so that a failed assertion says what was compared.
pytest.register_assert_rewrite(*(f"{__name__}.{home}" for home in {*_HOMES.values()}))


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)
