"""Handlers and commands in processes of their own, under the lease of the process that watches."""
