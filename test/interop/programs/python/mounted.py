"""Finds the files of one version of a mounted Secret."""

import os


class Mounted:
    """The folder where a Secret is mounted. The kubelet replaces its content by setting the link ..data."""

    def __init__(self, folder):
        self.folder = folder

    def version(self):
        """The folder of the current version. Open all files there: through the link they could be of two versions."""
        return os.path.join(self.folder, os.readlink(os.path.join(self.folder, "..data")))
