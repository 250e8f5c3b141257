"""Where everything is in the folder of a store: paths relative to it, with ``/``.

::

    holdfast.json                     what the folder is, and its schema
    lock                              held by whoever reads or writes
    journal/commit.json               a transaction that is durable and not yet carried out
    workflows/3f/nightly/             all of one workflow, under two digits of a digest of its name
        latest.json                   where it stands
        @000000000xxx/                its checkpoints 0 to 999, by stage and agent
            load/eu/@000000000007.agent_complete.json
        contexts/@000000000xxx/       what its chain adds up to, here and there
        attempts/@000000000xxx/       its attempts by their number
        retention.json                what it remembers of purges, and says of its own retention
        events/@000000xxxxxx/@000000000xxx/   what happened to it, by the first number in a file
    leases/3f/nightly.json            its epoch, and who has it
    index/                            what can be made anew from the files above
quarantine/20260301T123015.123456Z/   what a repair took out, as it was, and why

A thousand numbers share a folder, and stages and agents are inside it: so no folder can have more
than some thousand entries, however many there are of anything.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from ...domain.checkpoint_id import CheckpointId
from ...domain.checkpoint_type import CheckpointType
from ...domain.name_part import file_name
from ...domain.scope import Scope

MARKER = "holdfast.json"
LOCK = "lock"
JOURNAL = "journal/commit.json"
WORKFLOWS = "workflows"
LEASES = "leases"
INDEX = "index"
INDEX_TAIL = "index/latest.log"
FAILURES = "index/failures.json"
UNFINISHED = "index/unfinished"
QUARANTINE = "quarantine"

NUMBERS_A_FOLDER = 1000

_TYPES = tuple(each.value for each in CheckpointType)


class NamedFile(NamedTuple):
    """A checkpoint's file, as far as its name tells."""

    sequence: int
    type: CheckpointType
    path: str


def bucket(name: str) -> str:
    """Return the two digits under which workflows of that name are."""
    return hashlib.blake2b(name.encode(), digest_size=16).hexdigest()[:2]


def workflow(workflow_id: str) -> str:
    """Return the folder of a workflow."""
    return f"{WORKFLOWS}/{bucket(workflow_id)}/{file_name(workflow_id)}"


def pointer(workflow_id: str) -> str:
    """Return the file that says where a workflow stands."""
    return f"{workflow(workflow_id)}/latest.json"


def chunk(number: int) -> str:
    """Return the name of the folder, or the file, for a number and those beside it."""
    return f"@{number // NUMBERS_A_FOLDER:09d}xxx"


def chunk_number(name: str) -> int | None:
    """Return the number that a chunk of that name begins with; ``None`` for another name."""
    digits = name[1:-3]
    if name[:1] == "@" and name[-3:] == "xxx" and digits.isascii() and digits.isdigit():
        return int(digits) * NUMBERS_A_FOLDER
    return None


def retention(workflow_id: str) -> str:
    """Return the file of what a workflow remembers of purges."""
    return f"{workflow(workflow_id)}/retention.json"


def scope_text(workflow_id: str) -> str:
    """Return the name of a workflow as text without line ends, as ids are written."""
    return str(Scope(workflow_id))


def scope_folder(scope: Scope, chunk_name: str) -> str:
    """Return the folder of a scope's checkpoints in one chunk."""
    # The last part stands for the sequence.
    _, *inside, _ = CheckpointId.of(scope, 1).path.parts
    return "/".join([workflow(scope.workflow_id), chunk_name, *inside])


def checkpoint(checkpoint_id: CheckpointId, type_: CheckpointType) -> str:
    """Return the file of a checkpoint."""
    folder = scope_folder(checkpoint_id.scope, chunk(checkpoint_id.sequence))
    return f"{folder}/{checkpoint_id.path.name}.{type_.value}.json"


def possible_checkpoints(checkpoint_id: CheckpointId) -> list[str]:
    """Return the files that a checkpoint may have, one a type."""
    folder = scope_folder(checkpoint_id.scope, chunk(checkpoint_id.sequence))
    stem = f"{folder}/{checkpoint_id.path.name}"
    return [f"{stem}.{type_}.json" for type_ in _TYPES]


def parse_checkpoint_name(folder: str, name: str) -> NamedFile | None:
    """Return what the name of a checkpoint's file tells; ``None`` for another file."""
    digits, _, rest = name[1:].partition(".")
    type_, _, ending = rest.partition(".")
    if name[:1] != "@" or ending not in ("json", "json.gz"):
        return None
    if not (digits.isascii() and digits.isdigit()) or type_ not in _TYPES:
        return None
    return NamedFile(int(digits), CheckpointType(type_), f"{folder}/{digits_path(name)}")


def digits_path(name: str) -> str:
    """Return a file's name without the ending that says that it is compressed."""
    return name.removesuffix(".gz")


def contexts(workflow_id: str) -> str:
    """Return the folder of what a workflow's chains add up to."""
    return f"{workflow(workflow_id)}/contexts"


def context(workflow_id: str, sequence: int) -> str:
    """Return the file of what the chain adds up to at a checkpoint."""
    return f"{contexts(workflow_id)}/{chunk(sequence)}/@{sequence:012d}.json"


def attempts(workflow_id: str) -> str:
    """Return the folder of a workflow's attempts."""
    return f"{workflow(workflow_id)}/attempts"


def attempt(workflow_id: str, number: int) -> str:
    """Return the file of an attempt."""
    return f"{attempts(workflow_id)}/{chunk(number)}/@{number:012d}.json"


def events(workflow_id: str) -> str:
    """Return the folder of what happened to a workflow."""
    return f"{workflow(workflow_id)}/events"


def event_file(workflow_id: str, number: int) -> str:
    """Return the file of the events of one transaction, the first of which has that number."""
    return f"{events(workflow_id)}/{_millions(number)}/{chunk(number)}/@{number:012d}.json"


def lease(resource: str) -> str:
    """Return the file of a lease."""
    return f"{LEASES}/{bucket(resource)}/{file_name(resource)}.json"


def unfinished(two_digits: str) -> str:
    """Return the file that lists the unfinished workflows of a bucket."""
    return f"{UNFINISHED}/{two_digits}.json"


def segment(number: int) -> str:
    """Return the file of the index for a number and those beside it."""
    return f"{INDEX}/{_millions(number)}/{chunk(number)}.json"


def _millions(number: int) -> str:
    return f"@{number // NUMBERS_A_FOLDER // NUMBERS_A_FOLDER:06d}xxxxxx"
