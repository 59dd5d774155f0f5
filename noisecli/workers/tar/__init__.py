"""Outputs that are members of tars: those of one tar are one chunk, whose rows are sent when it has its name."""
