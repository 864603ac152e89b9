# SPDX-License-Identifier: Apache-2.0

"""The drivers of the storm: they log when they create from a source.

They do nothing else that the drivers below them do not do.
"""

import time

from cinder.volume.drivers import nfs
from cinder.volume.drivers import rbd
from oslo_log import log as logging

from tools.cloud import driver
from tools.cloud.storm import creates

LOG = logging.getLogger(__name__)


class Telling:
    """Logs when a create from a source began and ended."""

    def create_volume_from_snapshot(self, volume, snapshot):
        return self._tell(super().create_volume_from_snapshot, volume,
                          snapshot)

    def create_cloned_volume(self, volume, src_vref):
        return self._tell(super().create_cloned_volume, volume, src_vref)

    @staticmethod
    def _tell(create, volume, source):
        begin = time.monotonic()
        try:
            return create(volume, source)
        finally:
            LOG.info(creates.LINE, volume.id, begin, time.monotonic())


class Copying(Telling, driver.SharedDriver):
    """The copying driver."""


class RBD(Telling, rbd.RBDDriver):
    """Cinder's RBD driver."""


class NFS(Telling, nfs.NfsDriver):
    """Cinder's NFS driver."""
