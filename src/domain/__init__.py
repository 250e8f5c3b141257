"""What is true of checkpoints, leases and recovery, whatever the storage.

Standard library only; no I/O, no clock, no randomness, no logging: times and draws come in as
arguments.
"""
