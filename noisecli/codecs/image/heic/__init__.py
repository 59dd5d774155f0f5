"""HEIC, with the extra of that name: its header checked here, its samples decoded and encoded by pillow-heif."""
