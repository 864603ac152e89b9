#    Licensed under the Apache License, Version 2.0 (the "License"); you may
#    not use this file except in compliance with the License. You may obtain
#    a copy of the License at
#
#         http://www.apache.org/licenses/LICENSE-2.0
#
#    Unless required by applicable law or agreed to in writing, software
#    distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
#    WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
#    License for the specific language governing permissions and limitations
#    under the License.

"""The drivers of the storm: they log when they create from a source.

They do nothing else that the drivers below them do not do.
"""

import time

from cinder.volume.drivers import nfs
from cinder.volume.drivers import rbd
from oslo_log import log as logging

from cloud import driver
from cloud.storm import creates

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
