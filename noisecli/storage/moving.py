"""Files that move from one folder into another, under their own names: renamed where that is one file system."""

import errno
import os

from noisecli.storage.below import folder_opened, open_folder
from noisecli.storage.renaming import rename_new


def rename_into(root: str, name: str, other: str) -> bool:
    """Rename a file below `other` so that it is below `root`; return whether that is one file system.

    Raises FileExistsError where the name is taken, FileFailed where a symbolic link leads out of a folder, and OSError.
    """
    folder, own = os.path.split(name)
    with folder_opened(other, folder) as old:
        new = open_folder(root, folder, make=True)
        try:
            rename_new(own, own, folder=old, to=new)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            return False
        finally:
            os.close(new)
    return True
