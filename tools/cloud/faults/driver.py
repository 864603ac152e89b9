# SPDX-License-Identifier: Apache-2.0

"""The storage of the faults: it tells by itself what happened to it.

Cinder's database says what Cinder believes. The journal beside the volumes
says when a copy of a source and the deletion of a source began and ended.
"""

import contextlib
import os
import time
import uuid

from tools.cloud import driver
from tools.cloud.faults import journal

DELETE_SECONDS = 1
"""How long a deletion takes; the data is gone in the middle of it."""


class JournalingDriver(driver.SharedDriver):
    """The shared copying driver, which writes a journal."""

    @contextlib.contextmanager
    def _journaled(self, operation, resource_id, source_id):
        def note(step):
            journal.append(
                os.path.join(self._directory, journal.NAME), step=step,
                call=call, operation=operation, resource_id=resource_id,
                source_id=source_id, pid=os.getpid(), host=self.host)

        call = uuid.uuid4().hex
        note('begin')
        try:
            yield
        finally:
            note('end')

    def _copy(self, resource_id, source_id):
        with self._journaled('copy', resource_id, source_id):
            super()._copy(resource_id, source_id)

    def _delete(self, resource_id):
        with self._journaled('delete', resource_id, resource_id):
            time.sleep(DELETE_SECONDS / 2)
            with contextlib.suppress(FileNotFoundError):
                os.truncate(self.path_of(resource_id), 0)
            time.sleep(DELETE_SECONDS / 2)
            super()._delete(resource_id)
