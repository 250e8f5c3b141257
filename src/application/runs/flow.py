"""What a flow can ask its driver to do."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from ...domain.ports import HandlerSpec, UnitOfWork
from ..dispatcher import Handler

if TYPE_CHECKING:
    from .session import Session

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Execute:
    """Run a command as one transaction; gives what its handler returns, durably.

    Trouble is waited out for *timeout* seconds, for as long as is usual unless given.
    """

    handler: Handler[Any, Any]
    command: Any
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """Run work on one unchanging view of the store; gives what it returns."""

    work: Callable[[UnitOfWork], Any]


@dataclass(frozen=True, slots=True)
class Call:
    """Call the user's function, within *timeout* seconds; gives what it returns.

    Raises `TimedOut` after that; a coroutine is cancelled, a plain function cannot be.
    """

    subject: str
    function: Callable[..., Any]
    args: Sequence[Any]
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class Carry:
    """Let a handler carry a workflow on, within its time; gives what it returns."""

    spec: HandlerSpec
    session: Session
    timeout: float | None


@dataclass(frozen=True, slots=True)
class Pause:
    """Do nothing for so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Gather:
    """Run flows side by side, at most *workers* at once; gives a `Settled` each, in order."""

    flows: Sequence[Flow[Any]]
    workers: int


@dataclass(frozen=True, slots=True)
class Settled(Generic[T]):
    """How one of several flows ended."""

    value: T | None = None
    error: Exception | None = None


Effect: TypeAlias = Execute | Read | Call | Carry | Pause | Gather
Flow: TypeAlias = Generator[Effect, Any, T]
