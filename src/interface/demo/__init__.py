"""The demo: a real orchestrator on real files, killed with SIGKILL and carried on."""
