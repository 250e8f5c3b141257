"""Reading what is configured: where it is looked for, what goes before what, what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import holdfast
import pytest
from holdfast.interface.configuration.listing import listed
from holdfast.interface.configuration.schema import TABLES, every_key, keys_of
from holdfast.interface.configuration.toml_lines import line_of
from holdfast.interface.configuration.variables import variable_of

ALL = """\
store = "runs/orchestra.db"
app = "crew:app"
durability = "process"
json = true
verbose = true

[engine]
write_timeout = "10s"
max_state_bytes = 1000
lease = "20 s"
silence = "1h 30min"
back_off_base = 0
back_off_cap = 5
max_attempts = 9
grace = 2

[retention]
days = 7.5
count = 10

[supervise]
interval = "500 ms"
at_once = 8
purge_at = "0 3 * * *"
grace = 10

[supervise.circuit]
failures = 5
window = 30
pause = "2 min"
successes = 1

[log]
level = "debug"
form = "json"
file = "holdfast.log"
error_messages = true

[handlers.publish]
command = ["bin/publish", "--quick"]
timeout = "10 min"
"""


def _load(folder: Path, text: str, **variables: str) -> holdfast.Configuration:
    (folder / "holdfast.toml").write_text(text)
    return holdfast.Configuration.load(folder=folder, environ=variables)


class TestReading:
    def test_load_when_there_is_nothing_then_defaults(self, folder: Path) -> None:
        config = holdfast.Configuration.load(folder=folder, environ={"PATH": "/bin"})

        assert config == holdfast.Configuration()
        assert config.engine == holdfast.Settings()
        assert (config.retention.days, config.retention.count) == (30, 1000)
        assert config.log.level == "off"
        assert {each.origin for each in listed(config)} == {"default"}

    def test_load_when_a_file_says_everything_then_everything_is_as_it_says(
        self, folder: Path
    ) -> None:
        config = _load(folder, ALL)

        assert config.store == str(folder / "runs/orchestra.db")
        assert (config.app, config.durability) == ("crew:app", "process")
        assert (config.json, config.verbose) == (True, True)
        assert config.engine == holdfast.Settings(10.0, 1000, 20.0, 5400.0, 0, 5, 9, 2)
        assert (config.retention.days, config.retention.count) == (7.5, 10)
        supervise = config.supervise
        assert (supervise.interval, supervise.at_once, supervise.grace) == (0.5, 8, 10)
        assert (supervise.purge_at, supervise.purge_every) == ("0 3 * * *", None)
        circuit = supervise.circuit
        assert (circuit.failures, circuit.window, circuit.pause, circuit.successes) == (
            5,
            30,
            120,
            1,
        )
        assert config.log == holdfast.Log("debug", "json", str(folder / "holdfast.log"), True)
        publish = config.handlers["publish"]
        assert (publish.command, publish.timeout) == (
            (str(folder / "bin/publish"), "--quick"),
            600,
        )
        assert config.file == folder / "holdfast.toml"

    def test_load_when_a_file_says_everything_then_each_origin_is_its_line(
        self, folder: Path
    ) -> None:
        config = _load(folder, ALL)

        lines = ALL.splitlines()
        said = [each for each in listed(config) if not each.is_default]
        assert len(said) == sum(" = " in line for line in lines)
        for each in said:
            name, line = each.origin.split(":")
            assert name == "holdfast.toml"
            assert lines[int(line) - 1].startswith(f"{each.key.rpartition('.')[2]} = ")

    @pytest.mark.parametrize(
        ("target", "kept"),
        [
            ("memory:", "memory:"),
            ("sqlite:///runs.db", "sqlite:///{folder}/runs.db"),
            ("json:runs", "json:{folder}/runs"),
            ("/var/runs.db", "/var/runs.db"),
        ],
    )
    def test_load_when_a_store_is_in_a_file_then_its_path_begins_there(
        self, folder: Path, target: str, kept: str
    ) -> None:
        assert _load(folder, f'store = "{target}"').store == kept.format(folder=folder)

    @pytest.mark.parametrize(
        ("program", "run"),
        [("bin/p", "{folder}/bin/p"), ("./p", "{folder}/p"), ("p", "p"), ("/bin/p", "/bin/p")],
    )
    def test_load_when_a_command_is_a_path_then_it_begins_at_the_file(
        self, folder: Path, program: str, run: str
    ) -> None:
        config = _load(folder, f'[handlers.h]\ncommand = ["{program}", "bin/x"]')

        assert config.handlers["h"].command == (run.format(folder=folder), "bin/x")

    def test_names_when_compared_then_what_may_be_said_is_what_can_be_had(self) -> None:
        def names(of: Any, path: tuple[str, ...] = ()) -> Mapping[tuple[str, ...], set[str]]:
            found = {path: {each.name for each in fields(of)}}
            for each in fields(of):
                if is_dataclass(getattr(of, each.name)):
                    found |= names(getattr(of, each.name), (*path, each.name))
            return found

        had = dict(names(holdfast.Configuration()))
        had[()] -= {"file", "origins"}
        assert had == {path: set(keys_of(table)) for path, table in TABLES.items()}


class TestDiscovery:
    def test_load_when_a_folder_above_has_a_file_then_found(self, folder: Path) -> None:
        inner = folder / "a" / "b"
        inner.mkdir(parents=True)
        (folder / "holdfast.toml").write_text("[engine]\nlease = 5")

        config = holdfast.Configuration.load(folder=inner, environ={})

        assert config.engine.lease == 5
        assert config.file == folder / "holdfast.toml"

    def test_load_when_two_folders_have_one_then_the_nearest(self, folder: Path) -> None:
        inner = folder / "a"
        inner.mkdir()
        (folder / "holdfast.toml").write_text("[engine]\nlease = 5")
        (inner / "pyproject.toml").write_text("[tool.holdfast.engine]\nlease = 6")

        assert holdfast.Configuration.load(folder=inner, environ={}).engine.lease == 6

    def test_load_when_a_project_does_not_speak_of_it_then_passed_over(self, folder: Path) -> None:
        inner = folder / "a"
        inner.mkdir()
        (folder / "holdfast.toml").write_text("[engine]\nlease = 5")
        (inner / "pyproject.toml").write_text('[project]\ndependencies = ["holdfast"]')

        assert holdfast.Configuration.load(folder=inner, environ={}).engine.lease == 5

    def test_load_when_a_folder_has_both_then_its_own_file(self, folder: Path) -> None:
        (folder / "holdfast.toml").write_text("[engine]\nlease = 5")
        (folder / "pyproject.toml").write_text("[tool.holdfast.engine]\nlease = 6")

        assert holdfast.Configuration.load(folder=folder, environ={}).engine.lease == 5

    @pytest.mark.parametrize(
        "text",
        [
            "[tool.holdfast.engine]\nlease = 6",
            '[ tool . "holdfast" . engine ]\nlease = 6',
            "[tool]\nholdfast.engine.lease = 6",
            "tool.holdfast.engine.lease = 6",
            "tool = { holdfast = { engine = { lease = 6 } } }",
        ],
    )
    def test_load_when_a_project_speaks_of_it_in_whatever_way_then_read(
        self, folder: Path, text: str
    ) -> None:
        (folder / "pyproject.toml").write_text(text)

        assert holdfast.Configuration.load(folder=folder, environ={}).engine.lease == 6

    def test_load_when_in_a_project_then_the_line_is_of_its_table(self, folder: Path) -> None:
        text = "[engine]\nlease = 1\n[tool.holdfast.engine]\nlease = 6"
        (folder / "pyproject.toml").write_text(text)

        config = holdfast.Configuration.load(folder=folder, environ={})

        assert str(config.origin("engine.lease")) == "pyproject.toml:4"

    @pytest.mark.parametrize("by_variable", [False, True])
    def test_load_when_a_file_is_named_then_that_one_alone(
        self, folder: Path, by_variable: bool
    ) -> None:
        (folder / "holdfast.toml").write_text("[engine]\nlease = 5")
        (folder / "other.toml").write_text("[engine]\nsilence = 7")
        other = str(folder / "other.toml")

        config = holdfast.Configuration.load(
            None if by_variable else other,
            folder=folder,
            environ={"HOLDFAST_CONFIG": other if by_variable else "nowhere.toml"},
        )

        assert (config.engine.lease, config.engine.silence) == (60, 7)


class TestPrecedence:
    def test_load_when_a_variable_and_the_file_say_it_then_the_variable_counts(
        self, folder: Path
    ) -> None:
        config = _load(folder, "[engine]\nlease = 5\nsilence = 6", HOLDFAST_ENGINE_LEASE="2 min")

        assert (config.engine.lease, config.engine.silence) == (120, 6)
        assert str(config.origin("engine.lease")) == "HOLDFAST_ENGINE_LEASE"
        assert str(config.origin("engine.silence")) == "holdfast.toml:3"

    @pytest.mark.parametrize(
        ("variable", "text", "key", "value"),
        [
            ("HOLDFAST_JSON", "yes", "json", True),
            ("HOLDFAST_VERBOSE", "0", "verbose", False),
            ("HOLDFAST_DURABILITY", "process", "durability", "process"),
            ("HOLDFAST_ENGINE_MAX_STATE_BYTES", "77", "engine.max_state_bytes", 77),
            ("HOLDFAST_RETENTION_DAYS", "1.5", "retention.days", 1.5),
            ("HOLDFAST_SUPERVISE_CIRCUIT_PAUSE", "1h", "supervise.circuit.pause", 3600),
            ("HOLDFAST_LOG_LEVEL", "info", "log.level", "info"),
        ],
    )
    def test_variable_when_set_then_its_text_is_read_as_what_the_key_holds(
        self, folder: Path, variable: str, text: str, key: str, value: Any
    ) -> None:
        config = holdfast.Configuration.load(folder=folder, environ={variable: text})

        found = {each.key: each for each in listed(config)}[key]
        assert (found.value, found.origin) == (value, variable)

    def test_variable_when_it_is_a_path_then_it_begins_in_the_working_folder(
        self, folder: Path
    ) -> None:
        assert _load(folder, "", HOLDFAST_STORE="a.db").store == "a.db"

    def test_variable_when_empty_or_handed_to_children_then_not_configuration(
        self, folder: Path
    ) -> None:
        environ = {"HOLDFAST_LOG_LEVEL": "", "HOLDFAST_RUN_TOKEN": "t", "HOLDFAST_STORE": ""}

        config = holdfast.Configuration.load(folder=folder, environ=environ)

        assert config == holdfast.Configuration()

    def test_variables_when_listed_then_each_key_has_one_of_its_own(self) -> None:
        names = [variable_of(path) for path, _ in every_key()]

        assert len(set(names)) == len(names)
        assert not any(name.startswith("HOLDFAST_RUN_") for name in names)


MISTAKES = [
    ('stor = "x"', "holdfast.toml:1: stor = 'x': there is no such key; did you mean store?"),
    ("lease = 5", "holdfast.toml:1: lease = 5: there is no such key; did you mean engine.lease?"),
    (
        '[log]\n\nlevle = "info"',
        (
            "holdfast.toml:3: log.levle = 'info': there is no such key; did you mean log.level? "
            "(known here: level, form, file, error_messages)"
        ),
    ),
    (
        "[engine]\nlease = -5",
        (
            "holdfast.toml:2: engine.lease = -5: give a duration: seconds, or a text such as "
            '"30s", "5 min", "7d"; more than 0'
        ),
    ),
    ('engine.lease = "-5 min"', "holdfast.toml:1: engine.lease = '-5 min': give a duration"),
    ("[engine]\nlease = true", "engine.lease = True: give a duration"),
    ('[engine]\nlease = "soon"', "engine.lease = 'soon': give a duration"),
    ("[engine]\nlease = nan", "engine.lease = nan: give a duration"),
    ("[engine]\nlease = inf", "engine.lease = inf: give a duration"),
    ("[engine]\nback_off_cap = -1", "engine.back_off_cap = -1: give a duration"),
    ("[engine]\nmax_state_bytes = 0", "max_state_bytes = 0: give a whole number, 1 or more"),
    ("[engine]\nmax_state_bytes = 1.5", "max_state_bytes = 1.5: give a whole number"),
    ('[retention]\ncount = "1000"', "retention.count = '1000': give a whole number, 0 or more"),
    ("[retention]\ndays = -1", "retention.days = -1: give a number of days"),
    ('durability = "maximal"', 'durability = \'maximal\': give one of "power", "process"'),
    ("json = 1", "holdfast.toml:1: json = 1: give true or false"),
    ('store = ""', "store = '': give a text, not empty"),
    ("store = 3", "store = 3: give a text"),
    ('app = "crew"', "app = 'crew': give a text that reads MODULE:ATTRIBUTE"),
    ('log = "json"', "holdfast.toml:1: log = 'json': give a table with the keys level, form"),
    ('[log]\nlevel = "loud"', 'log.level = \'loud\': give one of "debug", "info"'),
    ('[supervise]\npurge_at = "often"', "supervise.purge_at = 'often': give a cron expression"),
    (
        '[supervise]\npurge_every = 5\npurge_at = "0 3 * * *"',
        "holdfast.toml:3: supervise.purge_at: purge_every is given as well (holdfast.toml:2)",
    ),
    ("[supervise.circuit]\nfailures = 0", "supervise.circuit.failures = 0: give a whole number"),
    ("handlers = 3", "handlers = 3: give tables [handlers.NAME]"),
    ('[handlers.p]\ncommand = "ls"', "handlers.p.command = 'ls': give a list of texts"),
    ("[handlers.p]\ncommand = []", "handlers.p.command = []: give a list of texts"),
    ('[handlers.p]\ncommand = ["ls", 3]', "handlers.p.command = 3: give a list of texts"),
    ("[handlers.p]\ntimeout = 3", "holdfast.toml:1: handlers.p has no command; give one"),
    (
        '[handlers.p]\ncommand = ["ls"]\ntimout = 3',
        (
            "holdfast.toml:3: handlers.p.timout = 3: there is no such key; did you mean "
            "handlers.p.timeout?"
        ),
    ),
    ('[handlers.""]\ncommand = ["ls"]', "no handler can be called '': it must not be empty"),
    ("store = ", "holdfast.toml is not TOML: "),
]


class TestMistakes:
    @pytest.mark.parametrize(("text", "message"), MISTAKES, ids=[text for text, _ in MISTAKES])
    def test_load_when_the_file_is_wrong_then_the_message_says_where_what_and_what_is_allowed(
        self, folder: Path, text: str, message: str
    ) -> None:
        with pytest.raises(holdfast.InvalidConfiguration) as caught:
            _load(folder, text)

        assert message in str(caught.value)
        assert len(caught.value.mistakes) == 1

    @pytest.mark.parametrize(
        ("variable", "text", "message"),
        [
            (
                "HOLDFAST_STROE",
                "x",
                "HOLDFAST_STROE = 'x': there is no such variable; did you mean ",
            ),
            ("HOLDFAST_JSON", "maybe", "HOLDFAST_JSON: json = 'maybe': give true or false"),
            ("HOLDFAST_ENGINE_LEASE", "-5s", "HOLDFAST_ENGINE_LEASE: engine.lease = '-5s': give a"),
            ("HOLDFAST_SUPERVISE_AT_ONCE", "many", "supervise.at_once = 'many': give a whole"),
            ("HOLDFAST_HANDLERS_P_COMMAND", "ls", "handlers are configured in a file"),
            ("HOLDFAST_APP", "crew", "HOLDFAST_APP: app = 'crew': give a text that reads MODULE"),
        ],
    )
    def test_load_when_a_variable_is_wrong_then_the_message_names_it(
        self, folder: Path, variable: str, text: str, message: str
    ) -> None:
        environ = {variable: text, "HOLDFAST_LOG_LEVEL": "off"}

        with pytest.raises(holdfast.InvalidConfiguration) as caught:
            holdfast.Configuration.load(folder=folder, environ=environ)

        assert message in str(caught.value)

    def test_load_when_several_are_wrong_then_all_are_told_with_their_keys(
        self, folder: Path
    ) -> None:
        with pytest.raises(holdfast.InvalidConfiguration) as caught:
            _load(folder, 'stor = "x"\n[log]\nlevel = "loud"', HOLDFAST_STROE="y")

        assert set(caught.value.keys) == {"HOLDFAST_STROE", "log.level", "stor"}
        assert str(caught.value).startswith("3 mistakes in the configuration: (1) ")

    def test_load_when_the_named_file_is_missing_then_said(self, folder: Path) -> None:
        with pytest.raises(holdfast.InvalidConfiguration, match=r"no configuration file no\.toml"):
            holdfast.Configuration.load(folder / "no.toml", environ={})

    def test_load_when_the_named_project_has_no_table_then_said(self, folder: Path) -> None:
        (folder / "pyproject.toml").write_text("[project]\n")

        with pytest.raises(holdfast.InvalidConfiguration, match=r"no table \[tool\.holdfast\]"):
            holdfast.Configuration.load(folder / "pyproject.toml", environ={})

    @pytest.mark.parametrize(
        ("content", "why"), [(b"\xff", "is not UTF-8 text"), (None, "cannot be read")]
    )
    def test_load_when_the_file_cannot_be_read_then_said(
        self, folder: Path, content: bytes | None, why: str
    ) -> None:
        path = folder / "odd.toml"
        if content is None:
            path.mkdir()
        else:
            path.write_bytes(content)

        with pytest.raises(holdfast.InvalidConfiguration, match=why):
            holdfast.Configuration.load(path, environ={})


@pytest.mark.parametrize(
    ("text", "path", "line"),
    [
        ('"store" = 1', "store", 1),
        ("# store = 1\nstore = 2", "store", 2),
        ("[log]\nlevel = 1\n[engine]\nlevel = 2", "engine.level", 4),
        ("log.level = 1", "log.level", 1),
        ("[engine]\nx = 1\n\n[log]", "log", 4),
        ("log = { level = 1 }", "log.level", 1),
        ("a = '''\nstore = 1\n'''\nstore = 2", "store", 4),
        ("[ supervise . circuit ] # which\nfailures=1", "supervise.circuit.failures", 2),
        ("a = 1", "b", None),
    ],
)
def test_line_when_asked_for_a_key_then_where_it_stands(
    text: str, path: str, line: int | None
) -> None:
    assert line_of(text, path.split(".")) == line
