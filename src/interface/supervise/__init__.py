"""Recovers and purges by itself, until told to stop."""
