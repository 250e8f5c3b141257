"""All rows, in the order of the table of goals."""

from __future__ import annotations

from ..row import Row
from .cold_context import COLD_CONTEXT
from .latest import LATEST
from .lone_caller import LONE_CALLER
from .memory import MEMORY
from .open_workflows import OPEN_WORKFLOWS
from .processes import PROCESSES_8
from .purge import PURGE
from .rebuild import REBUILD, REBUILD_DEEP
from .rebuild_peers import REBUILD_PEERS
from .recover import RECOVER
from .recover_large import RECOVER_LARGE
from .save_large import SMALL_CHANGE, WHOLESALE
from .save_small import SAVE_2_KB, SAVE_20_KB
from .start_up import START_UP
from .steps import STEPS
from .stored_bytes import STORED_BYTES
from .tasks import TASKS_32
from .threads import THREADS_8

EVERY_ROW: tuple[Row, ...] = (
    SAVE_2_KB,
    SAVE_20_KB,
    SMALL_CHANGE,
    WHOLESALE,
    THREADS_8,
    TASKS_32,
    LONE_CALLER,
    PROCESSES_8,
    REBUILD,
    REBUILD_DEEP,
    LATEST,
    REBUILD_PEERS,
    STORED_BYTES,
    RECOVER,
    RECOVER_LARGE,
    OPEN_WORKFLOWS,
    STEPS,
    COLD_CONTEXT,
    START_UP,
    PURGE,
    MEMORY,
)
