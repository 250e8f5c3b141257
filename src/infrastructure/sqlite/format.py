"""What marks a file as a Holdfast store, and which schema this version writes."""

APPLICATION_ID = 0x484F4C44  # "HOLD", in the file's header
SCHEMA = 3  # the number of the newest revision in migrations/versions
