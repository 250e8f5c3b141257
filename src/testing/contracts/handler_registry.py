"""What every handler registry promises."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ...domain.ports import HandlerRegistry

MakeRegistry = Callable[[dict[str, Callable[..., object]]], HandlerRegistry]


def _one() -> str:
    return "one"


def _two() -> str:
    return "two"


class HandlerRegistryContract:
    """Subclass it for each adapter, with a fixture ``make_registry`` that takes what it knows."""

    def test_get_when_it_is_registered_then_its_function_under_its_name(
        self, make_registry: MakeRegistry
    ) -> None:
        registry = make_registry({"one": _one, "naïve/zwei 2 🚀": _two})

        for name, function in (("one", _one), ("naïve/zwei 2 🚀", _two)):
            found = registry.get(name)
            assert found is not None
            assert (found.name, found.function) == (name, function)

    @pytest.mark.parametrize("name", ["", "One", "one ", "os.system", "builtins:eval", "json"])
    def test_get_when_it_is_not_registered_then_none_and_nothing_is_imported(
        self, make_registry: MakeRegistry, name: str
    ) -> None:
        assert make_registry({"one": _one}).get(name) is None

    def test_names_when_there_are_several_then_sorted(self, make_registry: MakeRegistry) -> None:
        registry = make_registry({"b": _one, "a": _two, "B": _one})

        assert registry.names() == ("B", "a", "b")

    def test_names_when_there_is_none_then_empty(self, make_registry: MakeRegistry) -> None:
        registry = make_registry({})

        assert (registry.names(), registry.get("one")) == ((), None)
