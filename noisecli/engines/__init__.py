"""What carries tasks out to workers, and outcomes back. Light: the parent process loads no numpy."""
