"""What every handler registry promises."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from holdfast.domain.ports import HandlerRegistry
from holdfast.interface.registry import Registry
from holdfast.testing.contracts.handler_registry import HandlerRegistryContract, MakeRegistry


class TestRegistry(HandlerRegistryContract):
    @pytest.fixture
    def make_registry(self) -> MakeRegistry:
        def make(handlers: dict[str, Callable[..., object]]) -> HandlerRegistry:
            registry = Registry()
            for name, function in handlers.items():
                registry.handler(name)(function)
            return registry

        return make
