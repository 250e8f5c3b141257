"""What people type: the examples below the help of each command."""

from __future__ import annotations

EXAMPLES: dict[str, tuple[str, ...]] = {
    "demo": ("demo", "demo --kills 3 --seed 7 --svg run.svg"),
    "init": ("--store runs.db init", "--store json:runs init"),
    "upgrade": ("--store runs.db upgrade",),
    "workflows": ("workflows", "workflows --status failed --json"),
    "list": ("list nightly --status failed", "list --metadata team=docs --limit 20"),
    "show": ("show nightly", "show nightly/load/eu@12", "show --raw nightly@1"),
    "tree": ("tree nightly", "tree nightly --svg nightly.svg"),
    "context": ("context nightly", "context nightly/load@7"),
    "latest": ("latest nightly --json",),
    "attempts": ("attempts nightly", "attempts nightly --output 2"),
    "events": ("events nightly --after 120", "events --json --limit 50"),
    "run": ("run nightly -- ./nightly.sh", "run nightly --handler nightly -- python job.py 2026"),
    "step": (
        "step download -- curl -sS https://example.org/data.csv",
        "step a --stage s -- make a",
    ),
    "checkpoint": (
        "checkpoint nightly --name loaded --state state.json",
        "checkpoint nightly --type stage_start --stage load --handler nightly",
    ),
    "complete": ("complete nightly/load@7 --output result.json", "complete nightly@1 --abandon"),
    "fail": ("fail nightly/load@7 --message 'no such bucket'",),
    "heartbeat": ("heartbeat nightly",),
    "start": ("--app crew:app start review r-42 --input question.json",),
    "stale": ("stale", "stale --threshold 600 --json"),
    "recover": (
        "recover nightly --dry-run",
        "--app crew:app recover nightly",
        "--app crew:app recover --all",
    ),
    "answer": ("answer r-42 approval yes", "answer r-42 approval --value answer.json"),
    "retry": ("retry nightly",),
    "cancel": ("cancel nightly",),
    "fork": ("fork nightly/load@7 nightly-again",),
    "export": ("export runs.jsonl.zst", "export json:runs", "export -"),
    "import": ("--store new.db import runs.jsonl.zst",),
    "config": ("config", "--config holdfast.toml config --json"),
    "doctor": ("doctor", "doctor --repair"),
    "diff": ("diff nightly@1 nightly@9",),
    "backup": ("backup runs-2026-03-14.db",),
    "stats": ("stats",),
    "supervise": ("--app crew:app supervise", "--app crew:app supervise --once -v"),
    "purge": ("purge --dry-run", "purge --max-age 90d --keep 100", "purge --workflow-id nightly"),
    "consolidate": ("consolidate nightly",),
    "delete": ("delete nightly",),
    "retain": ("retain nightly --days 365", "retain nightly --count 50"),
    "bench": ("bench recovery --state-size 1MB", "bench --chart bench.svg"),
    "completion": ("completion bash", "completion fish"),
}


def epilog_of(command: str) -> str:
    """Return the examples of a command, as they stand below its help."""
    lines = [f"  holdfast {each}" for each in EXAMPLES[command]]
    # click wraps what does not follow a backspace.
    return "\n".join(["\b", "Examples:", *lines])
