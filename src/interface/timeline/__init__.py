"""A run as a picture: its stages, agents and attempts over time."""
