"""What every source of randomness promises."""

from __future__ import annotations

from ...domain.ports import Randomness


class RandomnessContract:
    """Subclass it for each adapter, with a fixture ``randomness``."""

    def test_draw_when_made_often_then_always_from_zero_to_below_one(
        self, randomness: Randomness
    ) -> None:
        draws = [randomness.draw() for _ in range(200)]

        assert all(0.0 <= each < 1.0 for each in draws)
        assert len(set(draws)) > 1

    def test_token_when_made_often_then_none_comes_twice_and_each_has_128_bits(
        self, randomness: Randomness
    ) -> None:
        tokens = [randomness.token() for _ in range(200)]

        assert len(set(tokens)) == 200
        assert all(len(bytes.fromhex(each)) >= 16 for each in tokens)
