"""The whole of a store as a stream of documents, and back."""
