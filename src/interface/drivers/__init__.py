"""Perform what flows ask for: one driver blocks, the other awaits."""
