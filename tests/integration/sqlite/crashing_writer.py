"""Saves an edited state again and again, and ends without closing anything; a program of its own.

Called with the path of a store, a seed, and how many engines write in turn. Prints each id that was
acknowledged and the state that was saved, as canonical JSON.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from random import Random

from holdfast.domain.json_value import canonical
from holdfast.infrastructure.json_codec import JsonCodec
from holdfast.infrastructure.sqlite.store import SqliteStore

sys.path.insert(0, str(Path(__file__).parents[3]))
from tests.integration.sqlite.conftest import save_checkpoint
from tests.integration.sqlite.histories import edited, first_state

_SAVES = 40


def _main(path: Path, seed: int, engines: int) -> None:
    random = Random(seed)
    stores = [SqliteStore.open(path, JsonCodec()) for _ in range(engines)]
    state = first_state(random, 20)
    for number in range(_SAVES):
        state = edited(state, random)
        saved = save_checkpoint(stores[number % engines], "wf/s", state=state)
        print(saved.id, canonical(state), flush=True)
    os._exit(7)


_main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
