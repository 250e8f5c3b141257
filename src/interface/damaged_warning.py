"""Says aloud that a listing went past damage."""

from __future__ import annotations

import warnings

from ..domain.errors import Damaged


class DamagedWarning(UserWarning):
    """Something is damaged, and was left out of what a listing returned.

    Turn it into an error with ``warnings.simplefilter("error", holdfast.DamagedWarning)``.
    """


def warn_of_damage(damage: Damaged) -> None:
    """Warn of it: what is returned is not all that there is."""
    text = f"left out: {damage}; `holdfast doctor`, or engine.verify(), tells all"
    warnings.warn(DamagedWarning(text), stacklevel=2)
