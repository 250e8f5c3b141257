"""What every checkpoint repository promises."""

from __future__ import annotations

from .finding import Finding
from .following import Following
from .keeping import Keeping
from .refusing import Refusing
from .replaying import Replaying
from .standing import Standing


class CheckpointRepositoryContract(Keeping, Refusing, Standing, Following, Replaying, Finding):
    """Subclass it for each adapter, with a fixture ``store`` and with ``forget``."""
