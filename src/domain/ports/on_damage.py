"""What is told of rows that a listing passes over."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from ..errors import Damaged

OnDamage: TypeAlias = Callable[[Damaged], None]
"""Is told of each damaged row that a listing goes past; without it the first one is raised."""
