"""noisecli that takes its time for outputs, and not for a store that does not answer; workers load it."""

import os
import time

from noisecli.storage.objects import client, lease
from noisecli.storage.objects.folder import ObjectFolder

client.PATIENCE = float(os.environ.get("HASTY_PATIENCE", "6"))
lease.RENEWED_EVERY, lease.VALID = 0.5, float(os.environ.get("HASTY_VALID", "60"))
put_output = ObjectFolder._put


def put_slowly(*arguments):
    time.sleep(0.05)
    put_output(*arguments)


ObjectFolder._put = put_slowly

if __name__ == "__main__":
    from noisecli.cli import main

    main()
