"""The page on the configuration knows every key."""

from __future__ import annotations

import re
from pathlib import Path

from holdfast.interface.configuration.schema import HandlerTable, every_key, keys_of

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "configuration.md"


def test_page_when_its_table_is_read_then_it_has_each_key_once() -> None:
    rows = re.findall(r"^\| `([\w.]+)` \|", PAGE.read_text(), re.MULTILINE)
    keys = [".".join(path) for path, _ in every_key()]
    keys += [f"handlers.NAME.{key}" for key in keys_of(HandlerTable)]
    assert rows == keys
