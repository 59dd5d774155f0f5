"""noisecli without patience for a store that does not answer; workers load it as their main module."""

from noisecli.storage.objects import client, lease

client.PATIENCE = 6
lease.RENEWED_EVERY, lease.VALID = 0.5, 60.0

if __name__ == "__main__":
    from noisecli.cli import main

    main()
