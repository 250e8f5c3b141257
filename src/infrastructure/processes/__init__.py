"""Processes of their own: started fresh, guarded, and ended with everything they started."""
