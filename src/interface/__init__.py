"""What users meet: the Python interface and the command line."""
