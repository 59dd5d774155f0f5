"""Whether every file is what its manifest row says."""
