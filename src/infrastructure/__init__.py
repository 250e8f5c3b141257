"""The adapters: what the ports promise, done with SQLite, memory, threads and processes."""
