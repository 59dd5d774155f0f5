"""What Make sees of a run: when its manifest is older than what it is made from, and what that is."""
