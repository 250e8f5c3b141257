"""Orders that change a store, one a file, each with its handler beside it."""
