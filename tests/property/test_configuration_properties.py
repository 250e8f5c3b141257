"""Whatever stands in a configuration file or in the environment: values, or what is wrong."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import holdfast
import pytest
from holdfast.interface.configuration.load import load
from holdfast.interface.configuration.schema import every_key
from holdfast.interface.configuration.variables import variables
from hypothesis import example, given, settings
from hypothesis import strategies as st

SETTINGS = settings(max_examples=100, deadline=None, derandomize=True)
MANY = settings(SETTINGS, max_examples=5000)

KEYS = sorted({part for path, _ in every_key() for part in path})
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.sampled_from(
    ["-1", "0", "1", "1.5", "inf", "-inf", "nan", "1e400", "9" * 400, "true", "2026-01-01", "[]"]
    + ["{}", '""', '"x"', '"a:b"', "[1, 2]", '["a"]', "{a = 1}", '"\\u0000"', "07:32:00", '"-1"']
)
LINES = st.one_of(
    st.builds("{} = {}".format, st.sampled_from([*KEYS, "lesae", "''", '"a b"', "a.b"]), VALUES),
    st.sampled_from([f"[{key}]" for key in KEYS] + ["[handlers.h]", "[[engine]]", "[supervise.x]"]),
    TEXT,
)
FILES = st.lists(LINES, max_size=8).map("\n".join)


def require_values_or_mistakes(content: bytes, environ: dict[str, str]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "holdfast.toml"
        path.write_bytes(content)
        told = "said in a line"
        try:
            load(path, folder=folder, environ=environ)
        except holdfast.InvalidConfiguration as error:
            told = str(error)
        assert len(told.splitlines()) == 1
        assert len(told) < 20_000


@SETTINGS
@given(FILES)
@example("a = " + "[" * 2000)
@example("a" + ".a" * 1000 + " = 1")
@example('store = "a\\u0000b"\n[log]\nfile = "\\u0000"')
def test_load_when_the_file_is_anything_then_values_or_mistakes_in_one_line(text: str) -> None:
    require_values_or_mistakes(text.encode(), {})


@SETTINGS
@given(st.binary(max_size=60))
def test_load_when_the_file_is_any_bytes_then_values_or_mistakes_in_one_line(
    content: bytes,
) -> None:
    require_values_or_mistakes(content, {})


@SETTINGS
@given(
    st.dictionaries(
        st.sampled_from([*variables(), "HOLDFAST_LESAE", "HOLDFAST_HANDLERS_H", "HOLDFAST_"]),
        VALUES | TEXT.filter(lambda text: "\0" not in text),
        max_size=4,
    )
)
def test_load_when_variables_are_anything_then_values_or_mistakes_in_one_line(
    environ: dict[str, str],
) -> None:
    environ.pop("HOLDFAST_CONFIG", None)
    require_values_or_mistakes(b"", environ)


@pytest.mark.deep
@MANY
@given(FILES)
def test_load_when_the_file_is_anything_of_thousands_then_values_or_mistakes_in_one_line(
    text: str,
) -> None:
    require_values_or_mistakes(text.encode(), {})
