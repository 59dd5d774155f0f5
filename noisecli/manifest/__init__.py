"""What a destination holds by its own words: manifest, errors, run.json, journal."""
