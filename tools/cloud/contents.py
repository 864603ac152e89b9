# SPDX-License-Identifier: Apache-2.0

"""The data of volumes, read from the storage without asking Cinder."""

import contextlib
import hashlib
import os
import sys

from tools.cloud.services import ceph
from tools.cloud.services import nfs

MIB = 1024 ** 2


class Copying:
    """The volumes of the copying driver, which fills each that is empty.

    :param site: the tools.cloud.site.Site
    :param mebibytes: not used; the driver decides
    """

    def __init__(self, site, mebibytes=0):
        self._folder = site.folder('storage', 'copying')

    def fill(self, volume_id):
        """Write random data to a volume."""

    def checksum(self, volume_id):
        """Return the SHA-256 of a volume or snapshot as hexadecimal text.

        None stands for nothing in the storage.
        """
        try:
            with open(self._folder / volume_id, 'rb') as stored:
                return hashlib.file_digest(stored, 'sha256').hexdigest()
        except FileNotFoundError:
            return None

    def drop(self, volume_id):
        """Delete a volume's data, without Cinder, to free its space."""
        (self._folder / volume_id).unlink()


class NFS:
    """The volumes of the NFS driver.

    :param site: the tools.cloud.site.Site
    :param mebibytes: how much of a volume has data, as an integer
    """

    def __init__(self, site, mebibytes):
        self._folder = nfs.Share(site).point
        self._mebibytes = mebibytes

    def fill(self, volume_id):
        """Write random data to a volume."""
        with open(self._folder / f'volume-{volume_id}', 'r+b') as stored:
            for _number in range(self._mebibytes):
                stored.write(os.urandom(MIB))

    def checksum(self, volume_id):
        """Return the SHA-256 of a volume's data as hexadecimal text."""
        found = hashlib.sha256()
        with open(self._folder / f'volume-{volume_id}', 'rb') as stored:
            for _number in range(self._mebibytes):
                found.update(stored.read(MIB))
        return found.hexdigest()

    def drop(self, volume_id):
        """Delete a volume's data, without Cinder, to free its space."""
        (self._folder / f'volume-{volume_id}').unlink()


class RBD:
    """The volumes in Ceph.

    :param site: the tools.cloud.site.Site
    :param mebibytes: how much of a volume has data, as an integer
    """

    def __init__(self, site, mebibytes):
        self._config = site.folder('ceph') / 'ceph.conf'
        self._mebibytes = mebibytes
        if str(site.folder('python')) not in sys.path:
            sys.path.append(str(site.folder('python')))

    @contextlib.contextmanager
    def _pool(self):
        # Its directory is made with the cloud.
        import rados

        with rados.Rados(conffile=str(self._config), name='client.admin'
                         ) as cluster:
            with cluster.open_ioctx(ceph.POOL) as pool:
                yield pool

    @contextlib.contextmanager
    def _image(self, volume_id, read_only):
        import rbd

        with self._pool() as pool:
            with rbd.Image(pool, f'volume-{volume_id}',
                           read_only=read_only) as image:
                yield image

    def fill(self, volume_id):
        """Write random data to a volume."""
        with self._image(volume_id, False) as image:
            for number in range(self._mebibytes):
                image.write(os.urandom(MIB), number * MIB)

    def checksum(self, volume_id):
        """Return the SHA-256 of a volume's data as hexadecimal text."""
        found = hashlib.sha256()
        with self._image(volume_id, True) as image:
            for number in range(self._mebibytes):
                found.update(image.read(number * MIB, MIB))
        return found.hexdigest()

    def drop(self, volume_id):
        """Delete a volume's data, without Cinder, to free its space."""
        import rbd

        with self._image(volume_id, False) as image:
            for snapshot in list(image.list_snaps()):
                if image.is_protected_snap(snapshot['name']):
                    image.unprotect_snap(snapshot['name'])
                image.remove_snap(snapshot['name'])
        with self._pool() as pool:
            rbd.RBD().remove(pool, f'volume-{volume_id}')


OF = {'copying': Copying, 'nfs': NFS, 'rbd': RBD}
"""Backend -> the class of its contents."""
