"""Outputs of several runs in one process, as an engine without processes has them."""

import shutil

from noisecli.model import Level, Task
from noisecli.settings import NoiseSettings, Settings
from noisecli.workers import WorkerContext
from noisecli.workers.output import Writer


class Sink:
    format, lossy, warnings = "text", False, ()

    def __init__(self, output):
        self.output = output

    def write(self, block):
        self.output.write(block)

    def finish(self):
        pass

    def abort(self):
        pass


def test_a_destination_that_was_removed_between_two_runs_is_made_anew(tmp_path):
    settings = Settings("images", "", str(tmp_path / "dst"), NoiseSettings(()))
    task = Task("", "a", None, Level("std", 0, 0, ""), 1, bytes(16), 0)
    for prefix in (".noisecli-tmp-1-", ".noisecli-tmp-2-"):
        with Writer(WorkerContext(settings, prefix, None), "a", task, Sink, None) as writer:
            writer.write(b"content")
            writer.commit()
        assert (tmp_path / "dst/a").read_bytes() == b"content"
        shutil.rmtree(tmp_path / "dst")
