"""Fixtures of every folder; each page of tests/fixtures has those of one subject."""

pytest_plugins = ["tests.fixtures.making", "tests.fixtures.reading", "tests.fixtures.running"]
