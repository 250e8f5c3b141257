"""The use cases: commands that change a store, queries that read it, each with its handler."""
