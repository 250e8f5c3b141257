"""Where times come from, and how one waits."""

from __future__ import annotations

import threading
from typing import Protocol

from ..moment import Moment


class Clock(Protocol):
    """Tells the time and waits; may be called from any thread."""

    def moment(self) -> Moment:
        """Return the present, on the wall's clock and on the one that does not jump."""

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Return whether *event* was set within *seconds*; it returns as soon as it is."""
