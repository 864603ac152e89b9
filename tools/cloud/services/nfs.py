# SPDX-License-Identifier: Apache-2.0

"""A directory that stands for an NFS share.

The driver looks for its share in the mount table only, so a bind mount of a
local directory will do. The driver, qemu-img and the files are real; the
network file system is not.
"""

import hashlib

import psutil

from tools.cloud.services import service
from tools.cloud import site as sites

SHARE = '/export'


class Share(service.Service):
    """The share, mounted where Cinder's NFS driver looks for it.

    :param site: the tools.cloud.site.Site
    :ivar base: pathlib.Path of the directory of the driver's mount points
    :ivar point: pathlib.Path of that of the share
    """

    def __init__(self, site):
        super().__init__('nfs')
        self.base = site.folder('mounts')
        self._export = site.folder('storage', 'nfs')
        self._log = site.log('nfs')
        device = f'{sites.ADDRESS}:{SHARE}'.encode()
        self.point = site.folder('mounts', hashlib.md5(
            device, usedforsecurity=False).hexdigest())

    def launch(self):
        service.run('the mount of the share',
                    ['mount', '--bind', self._export, self.point], self._log)

    def stop(self):
        if str(self.point) in {
                mount.mountpoint for mount in psutil.disk_partitions(True)}:
            service.run('the unmount of the share', ['umount', self.point],
                        self._log)
