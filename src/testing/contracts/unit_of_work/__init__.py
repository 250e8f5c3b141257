"""What every store promises: it runs work as transactions."""

from __future__ import annotations

from .batches import Batches
from .reading import Reading
from .writing import Writing


class StoreContract(Writing, Batches, Reading):
    """Subclass it for each adapter, with a fixture ``store``."""
