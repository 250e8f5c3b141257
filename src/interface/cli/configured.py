"""The configuration as the command line has it: the file, the environment, and the options."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..configuration.load import load
from ..configuration.origin import Origin
from ..configuration.values import Configuration

_LEVELS = ("info", "debug")
"""What ``-v`` and ``-vv`` write at least."""

_QUIETER = {"info": ("off", "error", "warning"), "debug": ("off", "error", "warning", "info")}


def read(given: Mapping[str, Any]) -> Configuration:
    """Return what is configured, with the options that were given in its place."""
    config = load(given.get("config"), folder=".", environ=os.environ)
    origins = dict(config.origins)
    for option in ("store", "app"):
        if option in given:
            config = replace(config, **{option: given[option]})
            origins[option] = Origin("option", f"--{option}")
    if given.get("as_json"):
        config = replace(config, json=True)
        origins["json"] = Origin("option", "--json")
    if given.get("verbose"):
        config = replace(config, verbose=True)
        origins["verbose"] = Origin("option", "-v")
    return replace(_with_log(config, given, origins), origins=origins)


def handed_on(given: Mapping[str, Any], config: Configuration) -> dict[str, str]:
    """Return what children are to find in their environment, so that options hold for them, too."""
    found: dict[str, str] = {}
    if given.get("config"):
        found["HOLDFAST_CONFIG"] = str(Path(given["config"]).absolute())  # they may be elsewhere
    if given.get("verbose"):
        found["HOLDFAST_VERBOSE"] = "1"
        found["HOLDFAST_LOG_LEVEL"] = config.log.level
    if "log_form" in given:
        found["HOLDFAST_LOG_FORM"] = config.log.form
        found["HOLDFAST_LOG_LEVEL"] = config.log.level
    if found.get("HOLDFAST_LOG_LEVEL") and config.log.form == "auto":
        # What they have there is a pipe, whatever it ends in.
        is_seen = sys.stderr is not None and sys.stderr.isatty()
        found["HOLDFAST_LOG_FORM"] = "console" if is_seen else "json"
    return found


def _with_log(
    config: Configuration, given: Mapping[str, Any], origins: dict[str, Origin]
) -> Configuration:
    log = config.log
    if "log_form" in given:
        log = replace(log, form=given["log_form"])
        origins["log.form"] = Origin("option", "--log-form")
    if config.verbose or "log_form" in given:
        # Whoever says how the log is to look wants to see it.
        times = max(1, int(given.get("verbose", 0)))
        wanted = _LEVELS[min(times, len(_LEVELS)) - 1]
        if log.level in _QUIETER[wanted]:
            log = replace(log, level=wanted)
            origins["log.level"] = origins["verbose" if config.verbose else "log.form"]
    if given.get("log_level") and "log.level" not in origins and log.level == "off":
        log = replace(log, level=given["log_level"])
        origins["log.level"] = Origin("option", "of this command")
    return replace(config, log=log)
