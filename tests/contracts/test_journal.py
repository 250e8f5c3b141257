"""What every journal promises."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from holdfast.domain.events import EventKind
from holdfast.domain.ports import Journal
from holdfast.infrastructure.clock import ManualClock
from holdfast.infrastructure.host import LocalHost
from holdfast.infrastructure.journal import LoggerJournal, structlog_journal
from holdfast.testing.contracts.journal import JournalContract, event_of


class RecordingLogger:
    """A logger of a host that keeps what it is handed."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def __getattr__(self, level: str) -> Any:
        return lambda event, **fields: self.lines.append({"level": level, "event": event, **fields})


class TestJournalOnALoggerOfTheHost(JournalContract):
    @pytest.fixture
    def journal(self) -> Journal:
        self._logger = RecordingLogger()
        return LoggerJournal(self._logger, ManualClock(), LocalHost())

    def lines(self) -> list[dict[str, Any]]:
        return self._logger.lines

    def test_tell_when_the_logger_raises_then_nobody_else_does(self) -> None:
        class Broken:
            def info(self, event: str, **fields: Any) -> None:
                raise OSError("no space left")

        LoggerJournal(Broken(), ManualClock(), LocalHost()).tell([event_of()])


class TestJournalInLinesOfJson(JournalContract):
    @pytest.fixture
    def journal(self, tmp_path: Path) -> Journal:
        self._file = tmp_path / "log"
        return structlog_journal(
            ManualClock(),
            LocalHost(),
            level="debug",
            form="json",
            file=str(self._file),
            error_messages=False,
        )

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._file.read_text().splitlines()]

    def test_file_when_made_then_its_owner_alone_reads_it(self, journal: Journal) -> None:
        assert journal.wants_saves
        assert self._file.stat().st_mode & 0o777 == 0o600


def test_console_form_when_a_text_would_steer_the_terminal_then_it_is_shown_instead(
    tmp_path: Path,
) -> None:
    file = tmp_path / "log"
    journal = structlog_journal(
        ManualClock(),
        LocalHost(),
        level="info",
        form="console",
        file=str(file),
        error_messages=True,
    )

    journal.tell([event_of(EventKind.FAILED, error="Odd: \x1b[2J\nforged line")])

    (line,) = file.read_text().splitlines()
    assert "\x1b" not in line
    assert "failed" in line
    assert "forged line" in line
