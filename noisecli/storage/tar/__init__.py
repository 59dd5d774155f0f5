"""Tar shards: a folder of .tar files whose members are files too, named NAME.tar/MEMBER."""

from noisecli.storage.tar.folder import TarFolder
from noisecli.storage.tar.names import is_tar_location, split_key, split_tar

__all__ = ["TarFolder", "is_tar_location", "split_key", "split_tar"]
