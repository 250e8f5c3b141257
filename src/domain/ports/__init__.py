"""What the core needs from outside, each as a promise of effects.

Ports live in the domain (see docs/decisions): adapters and use cases both depend on them, and they
depend on nothing but domain types.
"""

from .attempt_log import AttemptLog
from .checkpoint_repository import CheckpointFilter, CheckpointRepository
from .clock import Clock
from .codec import Codec
from .event_log import EventLog
from .handler_registry import HandlerRegistry, HandlerSpec
from .host import Host
from .journal import Journal
from .lease_store import LeaseStore
from .on_damage import OnDamage
from .randomness import Randomness
from .retention_store import Removed, RetentionStore
from .sequence_generator import SequenceGenerator
from .store_care import StoreCare, StoreStats
from .transfer import Transfer
from .unit_of_work import Store, UnitOfWork, Written

__all__ = [
    "AttemptLog",
    "CheckpointFilter",
    "CheckpointRepository",
    "Clock",
    "Codec",
    "EventLog",
    "HandlerRegistry",
    "HandlerSpec",
    "Host",
    "Journal",
    "LeaseStore",
    "OnDamage",
    "Randomness",
    "Removed",
    "RetentionStore",
    "SequenceGenerator",
    "Store",
    "StoreCare",
    "StoreStats",
    "Transfer",
    "UnitOfWork",
    "Written",
]
