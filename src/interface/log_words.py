"""What a log's level and form can be; apart, since `--help` asks for nothing else of a log."""

LEVELS = ("debug", "info", "warning", "error", "off")
FORMS = ("auto", "json", "console")
