"""The noise itself: pure functions on arrays, no files, no clock, no global state."""
