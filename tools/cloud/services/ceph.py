# SPDX-License-Identifier: Apache-2.0

"""A Ceph cluster of one monitor, one manager and one OSD on a plain file."""

import pathlib
import sysconfig
import uuid

from tools.cloud.services import service
from tools.common.errors import ToolError

POOL = 'volumes'
USER = 'cinder'
GIGABYTES = 20
PACKAGES = pathlib.Path('/usr/lib/python3/dist-packages')


class Ceph:
    """The cluster, and what its daemons share.

    :param site: the tools.cloud.site.Site
    :param latency: seconds, as a number, by which answers to USER are
        delayed at most
    :ivar site: the same
    :ivar config: pathlib.Path of the ceph.conf
    :ivar monitor: the Monitor, which the others need
    :ivar manager: the Daemon of kind 'mgr'
    :ivar osd: the OSD
    :ivar pool: the Pool, which needs the OSD
    """

    def __init__(self, site, latency=0):
        self.site = site
        folder = site.folder('ceph')
        self.config = site.render(
            'ceph.conf', folder / 'ceph.conf', folder=folder,
            fsid=uuid.uuid4(), port=site.port(), gigabytes=GIGABYTES,
            user=USER, latency=latency)
        self.monitor = Monitor(self, 'mon', 'a')
        self.manager = Daemon(self, 'mgr', 'a')
        self.osd = OSD(self, 'osd', '0')
        self.pool = Pool(self)

    def ask(self, program, *arguments):
        """Run ``ceph`` or another of its programs and return what it prints.

        :param program: its name as text
        :param arguments: its arguments
        :raises ToolError: if it fails
        """
        return service.run(
            f'{program} {" ".join(map(str, arguments[:3]))}',
            [program, '--conf', self.config, *arguments],
            self.site.log('ceph'), self.site.environment())


class Daemon(service.Daemon):
    """A daemon of the cluster.

    :param ceph: the Ceph
    :param kind: 'mon', 'mgr' or 'osd'
    :param number: its id as text
    """

    def __init__(self, ceph, kind, number):
        self._ceph = ceph
        self._data = ceph.site.folder('ceph', f'{kind}.{number}')
        name = f'ceph-{kind}'
        super().__init__(
            name, [name, '--conf', ceph.config, '--id', number,
                   '--foreground'],
            ceph.site.log(name), ceph.site.environment())

    def launch(self):
        if not any(self._data.iterdir()):
            self._make()
        super().launch()

    def _make(self):
        """Make what has to be in its directory before it starts."""


class Monitor(Daemon):
    """The monitor."""

    def _make(self):
        self._ceph.ask('ceph-mon', '--mkfs', '--id', 'a')


class OSD(Daemon):
    """The OSD, with BlueStore on a sparse file."""

    def _make(self):
        name = uuid.uuid4()
        self._ceph.ask('ceph', 'osd', 'new', name)
        self._ceph.ask('ceph-osd', '--mkfs', '--id', '0', '--osd-uuid', name)


class Pool(service.Service):
    """The pool of Cinder's volumes.

    :param ceph: the Ceph
    """

    def __init__(self, ceph):
        super().__init__('ceph pool')
        self._ceph = ceph

    def launch(self):
        self._ceph.ask('ceph', 'osd', 'pool', 'create', POOL, '8')
        # Returns when the pool can be written to.
        self._ceph.ask('rbd', 'pool', 'init', POOL)


def bindings(site):
    """Return a directory from which Python can import rados and rbd.

    It has those two of Debian's modules and no others.

    :param site: the tools.cloud.site.Site
    :returns: pathlib.Path
    :raises ToolError: if there are none for this Python
    """
    folder = site.folder('python')
    for module in ('rados', 'rbd'):
        name = module + sysconfig.get_config_var('EXT_SUFFIX')
        if not (PACKAGES / name).is_file():
            raise ToolError(
                f'expected librbd\'s modules for this Python, found no {name} '
                f'in {PACKAGES}: apt-get install python3-rbd')
        (folder / name).symlink_to(PACKAGES / name)
    return folder
