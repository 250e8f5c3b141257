"""Every history of some length, breadth first: what must hold is looked at in every state."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

from holdfast.domain.lease import Standing
from holdfast.domain.ports import UnitOfWork

from .lease_world import OF_ACTORS, OF_NOBODY, Actor, State, World, act
from .places import Place


@dataclass
class Found:
    """What a search came to.

    Attributes:
        states: how many different ones were reached, by the length of the shortest way.
        statuses: of the workflow in them.
        steps: how many actions were tried.
    """

    states: list[int] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    steps: int = 0
    is_whole: bool = True


def search(place: Place, *, actors: int, depth: int, most: int) -> Found:
    """Look at every state that *actors* reach in *depth* steps, or at so many of the nearest."""
    found = Found()
    start = State(place.take_down(), 0.0, tuple(map(Actor, range(1, actors + 1))), actors)
    seen = {_canonical(World(place, start))}
    level = [(start, ())]
    found.states.append(1)
    for _ in range(depth):
        following: list[tuple[State, Any]] = []
        for state, way in level:
            place.put_back(state.store)
            for action, who in _choices(actors):
                found.steps += 1
                step = (*way, (action.__name__.strip("_"), *who))
                new = _tried(place, state, action, who, seen, found, step)
                if new is not None:
                    following.append((new, step))
                    if len(seen) >= most:
                        found.states.append(len(following))
                        found.is_whole = False
                        return found
        found.states.append(len(following))
        level = following
    return found


def _choices(actors: int) -> list[tuple[Any, tuple[int, ...]]]:
    own = [(action, (who,)) for who in range(actors) for action in OF_ACTORS]
    return own + [(action, ()) for action in OF_NOBODY]


def _tried(
    place: Place,
    state: State,
    action: Any,
    who: tuple[int, ...],
    seen: set[Any],
    found: Found,
    way: Any,
) -> State | None:
    """Do something, look at what it led to, and undo it; return the new state, if it is one."""
    with place.attempt():
        world = World(place, state)
        try:
            if not act(world, action, *who):
                return None
            world.ghost = _looked_at(world)
            canonical = _canonical(world)
            if canonical in seen:
                return None
            seen.add(canonical)
            new = world.state()
            found.statuses[_status(world) or "none"] += 1
            with place.attempt():
                _require_way_on(world)
        except AssertionError as wrong:
            raise AssertionError(f"after {way}: {wrong}") from wrong
        return new


def _status(world: World) -> str | None:
    standing = world.read(lambda uow: uow.checkpoints.standing("w"))
    return standing.status.value if standing is not None and standing.status else None


def _looked_at(world: World) -> Any:
    """Hold what must always hold against the store; return the ghost as it is from here on."""
    return world.read(lambda uow: _held(uow, world))


def _held(uow: UnitOfWork, world: World) -> Any:
    ghost = world.ghost
    lease, standing = uow.leases.get("w"), uow.checkpoints.standing("w")
    attempts = uow.attempts.all("w")
    head = standing.head.sequence if standing else 0
    floor = (lease.epoch if lease else 0, head)
    assert floor[0] >= ghost.floor[0], f"the epoch went from {ghost.floor[0]} to {floor[0]}"
    assert floor[1] >= ghost.floor[1], f"the sequence went from {ghost.floor[1]} to {floor[1]}"
    still_open = [each for each in attempts if each.outcome is None]
    assert len(still_open) <= 1, f"{len(still_open)} attempts are open"
    assert still_open in ([], attempts[-1:]), "an attempt is open that is not the last"
    if lease is not None and lease.token is not None:
        assert [each.epoch for each in still_open] == [lease.epoch], "a lease without its attempt"
    epochs = [each.epoch for each in attempts]
    assert epochs == sorted(set(epochs)), f"attempts under {epochs}"
    if standing is not None:
        _require_all_there(uow, ghost, standing.head)
    return replace(ghost, floor=floor)


def _require_all_there(uow: UnitOfWork, ghost: Any, head: Any) -> None:
    from holdfast.domain.errors import Purged
    from holdfast.domain.ports import CheckpointFilter
    from holdfast.domain.scope import Scope

    there = {each.id.sequence for each in uow.checkpoints.find(CheckpointFilter("w"))}
    for sequence in ghost.acknowledged - there:
        assert uow.retention.purged_at("w", sequence), f"acknowledged, and gone: {sequence}"
    state = uow.checkpoints.replay(head).record(Scope("w")).state
    lost = {key: value for key, value in ghost.written if state.get(key) != value}
    assert not lost, f"acknowledged, and not in the context: {lost} ({Purged.__name__} or not)"


def _require_way_on(world: World) -> None:
    """A fresh actor, when everybody else is silent, brings the workflow to its end."""
    world.seconds += 1000
    world.clock.advance(1000)
    world.processes += 1
    world.actors.append(Actor(world.processes))
    fresh = len(world.actors) - 1
    for _ in range(6):
        status = _status(world)
        if status in (None, "completed"):
            return
        if status == "killed":
            assert act(world, World.retry), "it is killed, and cannot be opened anew"
        took = act(world, World.take, fresh)
        if world.actors[fresh].credentials is not None:
            assert act(world, World.return_, fresh), "it was carried on, and cannot be completed"
            continue
        if not took:
            assert status == "waiting", f"it is {status}, and nobody can carry it on"
            assert act(world, World.answer), "it waits, and cannot be answered"
    assert _status(world) == "completed", f"it is {_status(world)}, for ever"


def _canonical(world: World) -> Any:
    """Return what two states have in common that do not differ in what can follow."""
    return world.read(lambda uow: _seen(uow, world))


def _seen(uow: UnitOfWork, world: World) -> Any:
    from holdfast.domain.ports import CheckpointFilter

    lease = uow.leases.get("w")
    attempts = uow.attempts.all("w")
    names = {actor.number: place for place, actor in enumerate(world.actors)}
    rows = tuple(
        (
            each.id.stage_id,
            each.type.value,
            each.status.value,
            each.name,
            each.retry_count,
            each.due_at is None,
            lease is not None and each.epoch == lease.epoch,
            each.parent_id is None,
        )
        for each in uow.checkpoints.find(CheckpointFilter("w"))
    )
    held: Any = None
    if lease is not None:
        is_good = lease.standing(world.clock.moment()) is Standing.HELD
        gone = lease.owner.pid in world.gone
        stopped = lease.stop_asked_at is not None
        owner = names.get(lease.owner.pid) if lease.token is not None else None
        held = (lease.token is None, is_good, gone, stopped, owner)
    tried = tuple(each.outcome for each in attempts[-2:])
    since = attempts[-1].begun_after if attempts else 0
    newer = sum(each.id.sequence > since for each in uow.checkpoints.find(CheckpointFilter("w")))
    actors = [
        (actor.credentials is None, actor.is_past, _is_present(actor, lease))
        for actor in world.actors
    ]
    seats = sorted(range(len(actors)), key=lambda place: (actors[place], place))
    if held is not None and held[-1] is not None:
        held = (*held[:-1], seats.index(held[-1]))
    return rows, held, tried, newer, tuple(actors[place] for place in seats)


def _is_present(actor: Actor, lease: Any) -> bool:
    return (
        actor.credentials is not None
        and lease is not None
        and lease.token is not None
        and bool(lease.proves(actor.credentials))
    )
