"""Files that hold the whole of a store: lines of JSON, checked and compressed."""
