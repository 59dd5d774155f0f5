"""Fixtures of every folder; each page of tests/fixtures has those of one subject."""

pytest_plugins = [f"tests.fixtures.{page}" for page in ("faults", "files", "making", "reading", "running", "servers")]
