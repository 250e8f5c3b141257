"""The store in a folder of JSON files, for people who read, diff and version their checkpoints.

`layout` says where everything is, `documents` how a file is written, `journal` how a transaction
becomes one act; see docs/json-files.md.
"""
