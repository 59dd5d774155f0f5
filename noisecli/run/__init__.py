"""From a request to a manifest. pipeline.py is the page to read first."""
