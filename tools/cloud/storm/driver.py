# SPDX-License-Identifier: Apache-2.0

"""The drivers of a storm: they journal each create from a source."""

from cinder.volume.drivers import nfs
from cinder.volume.drivers import rbd

from tools.cloud import driver
from tools.cloud import journal


class Journaling:
    """Writes down when a create from a source begins and ends."""

    def create_volume_from_snapshot(self, volume, snapshot):
        with journal.calling('copy', volume.id, snapshot.id, self.host):
            return super().create_volume_from_snapshot(volume, snapshot)

    def create_cloned_volume(self, volume, src_vref):
        with journal.calling('copy', volume.id, src_vref.id, self.host):
            return super().create_cloned_volume(volume, src_vref)


class Copying(Journaling, driver.SharedDriver):
    """The copying driver."""


class RBD(Journaling, rbd.RBDDriver):
    """Cinder's RBD driver."""


class NFS(Journaling, nfs.NfsDriver):
    """Cinder's NFS driver."""
