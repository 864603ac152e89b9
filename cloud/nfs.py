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

"""A directory that stands for an NFS share.

The driver asks the mount table alone whether its share is mounted, so a bind
mount of a local directory will do: the driver, qemu-img and the files are
real, the network file system is not.
"""

import hashlib

import psutil

from cloud import service
from cloud import site as sites

SHARE = '/export'


class Share(service.Service):
    """The share, mounted where Cinder's NFS driver looks for it.

    :param site: the cloud.site.Site
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
