"""Measuring on the user's machine: what `holdfast bench` does."""
