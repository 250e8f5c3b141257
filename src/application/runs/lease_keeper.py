"""Keeps the leases of the sessions of this process, as long as they give signs of life."""

from __future__ import annotations

import threading

from ...domain.attempt import Outcome
from ...domain.error_record import ErrorRecord
from ...domain.errors import Fenced, HoldfastError, StorageUnavailable, StoreClosed, TimedOut
from ..commands.abandon_attempt import AbandonAttempt, abandon_attempt
from ..commands.finish_attempt import FinishAttempt, finish_attempt
from ..commands.heartbeat import Heartbeat, heartbeat
from ..dispatcher import Dispatcher
from .debts import Debts
from .session import Session, carried_session

# Two renewals may fail, or come late, before a lease runs out.
_RENEWALS_PER_LEASE = 3
_LONGEST_NAP = 5.0
_NAP_IN_DEBT = 1.0


class LeaseKeeper:
    """Renews leases in the background, in one thread, and ends the attempts that fall silent.

    A lease alone must not keep a hung orchestrator alive: after ``silence`` without a checkpoint,
    a finished step or a heartbeat the attempt is recorded as timed out and its lease ended.

    Attributes:
        debts: attempts of this process that ended, and could not be written down yet.
    """

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._clock = dispatcher.env.clock
        self._lock = threading.Lock()
        self._sessions: dict[Session, int] = {}
        # By workflow: those whose lease was lost here, until the workflow is entered again. Their
        # code may still be running, and what it writes must not pass for an outsider's.
        self._lost: dict[str, Session] = {}
        self.debts = Debts()
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()

    def watch(self, session: Session) -> None:
        """Keep the session's lease from now on; it was renewed just now."""
        with self._lock:
            for older in self._sessions:
                older.is_succeeded |= older.attempt.workflow_id == session.attempt.workflow_id
            self._sessions[session] = self._clock.moment().uptime_ns
            self._lost.pop(session.attempt.workflow_id, None)
            self._start()

    def forget(self, session: Session) -> None:
        """Keep it no longer."""
        with self._lock:
            self._sessions.pop(session, None)
            self._stop_if_idle()

    def owe(self, debt: AbandonAttempt) -> None:
        """Write this down as soon as the store is well again: by then its lease is nobody's."""
        self.debts.owe(debt)
        with self._lock:
            self._start()

    def lose(self, session: Session, why: Exception) -> None:
        """End a session whose lease is lost; remember it until its workflow is entered again."""
        session.end(why)
        self.forget(session)
        with self._lock:
            if not session.is_succeeded:
                self._lost[session.attempt.workflow_id] = session
        if session.interrupt is not None:
            session.interrupt()

    def session_of(self, workflow_id: str) -> Session | None:
        """Return the session that a write to the workflow from this process is under.

        That of the handler that is calling; else the one that carries the workflow on; else the one
        that lost it.
        """
        calling = carried_session()
        if calling is not None and self._is_about(calling, workflow_id):
            return calling
        if not self._sessions and not self._lost:
            return None
        with self._lock:
            for session in self._sessions:
                if session.attempt.workflow_id == workflow_id and not session.is_succeeded:
                    return session
            return self._lost.get(workflow_id)

    def sessions(self) -> list[Session]:
        """Return the sessions whose leases are kept."""
        with self._lock:
            return list(self._sessions)

    def after_fork(self) -> None:
        """Forget everything: leases belong to the parent, and its thread did not come along."""
        self._lock = threading.Lock()
        self._sessions = {}
        self._lost = {}
        self.debts = Debts()
        self._thread = None

    def tick(self) -> float:
        """Renew what is due, end what is silent; return the seconds until there is more to do."""
        naps = [_LONGEST_NAP]
        if self.debts.owed() and not self._pay():
            naps.append(_NAP_IN_DEBT)
        for session in self.sessions():
            if session.watched:
                naps.append(self._renew_if_due(session))
                continue
            if session.silent_for > session.silence_limit:
                self._end_silent(session)
                continue
            naps.append(self._renew_if_due(session))
            naps.append(session.silence_limit - session.silent_for)
        with self._lock:
            self._stop_if_idle()
        return max(0.01, min(naps))

    def _pay(self) -> bool:
        """Write down what is owed, without waiting; return whether nothing is owed any more."""
        for debt in self.debts.owed():
            try:
                self._dispatcher.execute(abandon_attempt, debt, timeout=0.0)
            except StoreClosed:
                pass  # nobody will be able to
            except StorageUnavailable:
                return False
            self.debts.settle(debt)
        return True

    def _renew_if_due(self, session: Session) -> float:
        interval = session.terms.duration / _RENEWALS_PER_LEASE
        with self._lock:
            renewed = self._sessions.get(session)
        if renewed is None:
            return _LONGEST_NAP
        now = self._clock.moment().uptime_ns
        rest = interval - (now - renewed) / 1e9
        if rest > 0:
            return rest
        self._renew(session)
        return interval

    def _renew(self, session: Session) -> None:
        command = Heartbeat(session.attempt.workflow_id, session.credentials)
        now = self._clock.moment().uptime_ns
        try:
            cancelled = self._dispatcher.execute(heartbeat, command)
        except Fenced as fenced:
            self.lose(session, fenced)
        except HoldfastError:
            # Trouble with the store: the next round tries again, and so does every write.
            pass
        else:
            if cancelled:
                session.cancel()  # its next write, or a look at run.cancelled, tells it
            with self._lock:
                if session in self._sessions:
                    self._sessions[session] = now

    def _end_silent(self, session: Session) -> None:
        error = TimedOut(str(session.workflow), "was silent for", session.silence_limit)
        command = FinishAttempt(
            session.scope,
            session.credentials,
            session.attempt.correlation_id,
            Outcome.TIMED_OUT,
            error=ErrorRecord.of(error),
        )
        try:
            session.timed_out = self._dispatcher.execute(finish_attempt, command)
        except Fenced as fenced:
            self.lose(session, fenced)
            return
        except HoldfastError as trouble:
            # Not renewed any more, the lease runs out, and the workflow is found stale.
            error.add_note(f"it could not be recorded: {trouble}")
        self.lose(session, error)

    def _is_about(self, session: Session, workflow_id: str) -> bool:
        own = session.belongs_to(self._dispatcher.env)
        return own and session.attempt.workflow_id == workflow_id

    def _start(self) -> None:
        if self._thread is None:
            self._wake = threading.Event()
            self._thread = threading.Thread(
                target=self._keep, args=(self._wake,), name="holdfast-leases", daemon=True
            )
            self._thread.start()

    def _stop_if_idle(self) -> None:
        if not self._sessions and not self.debts.owed():
            self._wake.set()
            self._thread = None

    def _keep(self, wake: threading.Event) -> None:
        nap = 0.0
        while not self._clock.wait(wake, nap):
            try:
                nap = self.tick()
            except Exception:  # noqa: BLE001 - one bad round must not end the keeping of all leases
                nap = _LONGEST_NAP
