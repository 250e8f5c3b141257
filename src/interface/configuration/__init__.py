"""What is configured: one file, variables, options; each value with its origin."""
