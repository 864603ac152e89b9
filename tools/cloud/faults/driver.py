# SPDX-License-Identifier: Apache-2.0

"""The storage of the faults: it journals each copy and each deletion."""

import contextlib
import os
import time

from tools.cloud import driver
from tools.cloud import journal

DELETE_SECONDS = 1
"""How long a deletion takes; the data is gone in the middle of it."""


class JournalingDriver(driver.SharedDriver):
    """The shared copying driver, which writes a journal."""

    def _copy(self, resource_id, source_id):
        with journal.calling('copy', resource_id, source_id, self.host):
            super()._copy(resource_id, source_id)

    def _delete(self, resource_id):
        with journal.calling('delete', resource_id, resource_id, self.host):
            time.sleep(DELETE_SECONDS / 2)
            with contextlib.suppress(FileNotFoundError):
                os.truncate(self.path_of(resource_id), 0)
            time.sleep(DELETE_SECONDS / 2)
            super()._delete(resource_id)
