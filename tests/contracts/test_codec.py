"""What every codec promises."""

from __future__ import annotations

import pytest
from holdfast.infrastructure.json_codec import JsonCodec
from holdfast.testing.contracts.codec import CodecContract, MakeCodec


class TestJsonCodec(CodecContract):
    @pytest.fixture
    def make_codec(self) -> MakeCodec:
        return JsonCodec
