"""What every source of randomness promises."""

from __future__ import annotations

import pytest
from holdfast.domain.ports import Randomness
from holdfast.infrastructure.randomness import SystemRandomness
from holdfast.testing.contracts.randomness import RandomnessContract


class TestSystemRandomness(RandomnessContract):
    @pytest.fixture
    def randomness(self) -> Randomness:
        return SystemRandomness()
