"""Purging, consolidating and deleting: long work, done in slices that are each a short change.

A slice is one step of a generator: whoever performs it decides when the next one comes, and may
stop at any of them. What was done stays done, and what is left is whole.
"""
