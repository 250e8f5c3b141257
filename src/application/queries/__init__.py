"""Questions to a store, one a file, each with its handler beside it; none of them writes."""
