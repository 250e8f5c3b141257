"""The conditions of the partial indexes: the schema and the statements must agree to the letter."""

from ...domain.checkpoint_status import UNFINISHED
from ...domain.checkpoint_type import CheckpointType


def _quoted(values: list[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)


OPENINGS = _quoted([each.value for each in CheckpointType if each.opens])
CLOSINGS = _quoted([each.value for each in CheckpointType if each.closes])

IS_UNFINISHED = (
    f"type IN ({OPENINGS}) AND status IN ({_quoted([each.value for each in UNFINISHED])})"
)
IS_FACT = "type <> 'progress' OR name IS NOT NULL"
IS_UNFINISHED_WORKFLOW = f"status IN ({_quoted([each.value for each in UNFINISHED])})"
IS_DIFFERENCE = "base IS NOT NULL"
