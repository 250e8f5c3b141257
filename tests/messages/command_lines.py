"""Slips of the command line; ``_`` stands for a space within an argument."""

from __future__ import annotations

import holdfast


def prepare(engine: holdfast.Engine) -> None:
    engine.checkpoint("nightly", state={"n": 1}, resume_handler="load")
    engine.checkpoint("notes", name="only a record")


COMMAND_LINES = [
    "recovr nightly",
    "nonsense",
    "--stroe crew.db latest nightly",
    "list",
    "--store crew.db latest",
    "--store crew.db latest nihgtly",
    "--store crew.db show nightly@7",
    "--store crew.db list nightly --status finished",
    "--store crew.db list nightly --limit -1",
    "--store crew.db list nightly --limt 3",
    "--store crew.db checkpoint nightly --type progres",
    "--store crew.db checkpoint nightly --state missing.json",
    "--store crew.db purge --keep many",
    "--store crew.db purge --max-age soon",
    "--store crew.db purge --before yesterday-ish",
    "--store crew.db start load nightly",
    "--store crew.db --app crew start load nightly",
    "--store crew.db --app nowhere:app start load nightly",
    "--store crew.db --app json:dumps start load nightly",
    "--store crew.db --app json:dump_s start load nightly",
    "--store crew.db recover nightly",
    "--store crew.db recover",
    "--store crew.db retry nightly",
    "--store crew.db answer nightly approval --value true",
    "--store crew.db stale --threshold -5",
    "--store crew.db diff nightly@1 nightly@9",
    "--store crew.db backup crew.db",
    "--store crew.db export crew.db",
    "--store crew.db import missing.jsonl",
    "--store other.db latest nightly",
    "--store . latest nightly",
    "--config missing.toml latest nightly",
    "--log-form xml latest nightly",
    "step load",
    "heartbeat",
    "run nightly",
    "bench recovry",
    "bench save --sizes big",
    "supervise --interval never",
]
