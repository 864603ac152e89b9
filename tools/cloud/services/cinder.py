# SPDX-License-Identifier: Apache-2.0

"""Cinder's services, each with a configuration file of its own.

Two hosts, one and two, are an active-active cluster with shared storage; the
third has storage of its own. Each uses another member of etcd for locks.
"""

import datetime
import pathlib
import sys

from tools.cloud import journal
from tools.cloud.services import ceph
from tools.cloud.services import service
from tools.cloud.services.wsgi import WSGIServer
from tools.common.errors import ToolError
from tools.common.paths import ROOT
from tools.common.waiting import wait_for
from tools.series import imports

CLUSTER = 'cloud'
HOSTS = {'one': (CLUSTER, ('copying', 'rbd')),
         'two': (CLUSTER, ('copying', 'rbd')),
         'three': (None, ('nfs',))}
"""Host -> its cluster, and its backends."""
BACKENDS = tuple(dict.fromkeys(
    backend for _cluster, backends in HOSTS.values() for backend in backends))
SOURCE_FIELDS = {'snapshot': 'snapshot_id', 'volume': 'source_volume_id'}
"""Kind of a source -> what a request for a volume calls its id."""
COPY_SECONDS = 2
REPORT_SECONDS = 1


class Cinder:
    """What the services share.

    :param site: the tools.cloud.site.Site
    :param keystone: the tools.cloud.services.keystone.Keystone
    :param server: the service that has the locks; none if files have them
    :param settings: the tools.cloud.layout.Settings
    :param values: further variables of cinder.conf.j2
    :ivar hosts: like HOSTS, the hosts of this cloud
    """

    def __init__(self, site, keystone, server, settings, **values):
        self.site = site
        self.keystone = keystone
        self.hosts = dict(HOSTS)
        if server is None:
            del self.hosts['two']
            self.hosts['one'] = (None, HOSTS['one'][1])
        self._settings = settings
        self._server = server
        self._values = values
        self._bindings = ceph.bindings(site)
        self._connection = None

    def configure(self, name, tree, host, member):
        """Write the configuration of a service and return its pathlib.Path.

        :param name: of the service, as text
        :param tree: pathlib.Path of the Cinder source tree
        :param host: name of its host, as text
        :param member: number of the member of etcd that it asks
        """
        cluster, backends = self.hosts.get(host, (None, ()))
        return self.site.render(
            'cinder.conf', self.site.folder('cinder', name) / 'cinder.conf',
            tree=tree, host=host, cluster=cluster, backends=backends,
            state=self.site.folder('cinder', name),
            coordination=self._coordination(member), keystone=self.keystone,
            pool=ceph.POOL, user=ceph.USER,
            flatten=self._settings.latency > 0,
            options=self._settings.options, seconds=COPY_SECONDS,
            report=REPORT_SECONDS,
            copies=self.site.folder('storage', 'copying'), **self._values)

    def _coordination(self, member):
        if self._server is None:
            return f'file://{self.site.folder("coordination")}'
        return self._server.url(member)

    def environment(self, tree):
        """Return the environment of a service of a tree as a dict."""
        return self.site.environment(
            PYTHONPATH=imports.path(tree, ROOT, self._bindings),
            OS_CINDER_DISABLE_EVENTLET_PATCHING=int(self._settings.threads),
            **{journal.VARIABLE: self.site.journal})

    @property
    def volumes(self):
        """The block storage API of openstacksdk, as an administrator."""
        if self._connection is None:
            self._connection = self.keystone.connect()
        return self._connection.block_storage


class Schema(service.Service):
    """The tables of Cinder's database.

    :param cinder: the Cinder
    :param tree: pathlib.Path of the Cinder source tree that makes them
    """

    def __init__(self, cinder, tree):
        super().__init__('the database of cinder')
        self._tree = tree
        self._config = cinder.configure('manage', tree, 'manage', 1)
        self._environment = cinder.environment(tree)
        self._log = cinder.site.log('cinder-manage')

    def launch(self):
        found = service.run(
            'an import of Cinder',
            [sys.executable, '-c', 'import cinder; print(cinder.__file__)'],
            self._log, self._environment, self._config.parent).strip()
        if not pathlib.Path(found).is_relative_to(self._tree):
            raise ToolError(f'expected the Cinder of {self._tree}, found '
                            f'{found}')
        service.run('cinder-manage db sync',
                    ['cinder-manage', '--config-file', self._config, 'db',
                     'sync'], self._log, self._environment)


class API(WSGIServer):
    """cinder-api.

    :param cinder: the Cinder
    :param tree: pathlib.Path of the Cinder source tree
    """

    def __init__(self, cinder, tree):
        config = cinder.configure('cinder-api', tree, 'api', 1)
        super().__init__(
            cinder.site, 'cinder-api', 'cinder.wsgi.api:application',
            cinder.environment(tree), f'--config-file {config}')


class Agent(service.Daemon):
    """A service that reports itself to the database.

    :param cinder: the Cinder
    :param tree: pathlib.Path of the Cinder source tree
    :param binary: 'cinder-scheduler' or 'cinder-volume'
    :param host: name of its host, as text
    :param member: number of the member of etcd that it asks
    """

    def __init__(self, cinder, tree, binary, host, member):
        name = f'{binary}-{host}'
        self._cinder = cinder
        self._binary = binary
        self._place = host, member
        self._hosts = {f'{host}@{backend}'
                       for backend in cinder.hosts.get(host, (None, ()))[1]
                       } or {host}
        self._launched = None
        self._first = {}
        super().__init__(
            name, [binary, '--config-file',
                   cinder.configure(name, tree, host, member)],
            cinder.site.log(name), cinder.environment(tree),
            ready=self._find_report)

    def launch(self):
        self._first = {}
        # The database keeps whole seconds.
        self._launched = datetime.datetime.now(datetime.timezone.utc).replace(
            microsecond=0, tzinfo=None)
        super().launch()

    def become(self, tree):
        """Take another tree from the next start on.

        :param tree: pathlib.Path of the Cinder source tree
        """
        self._cinder.configure(self.name, tree, *self._place)
        self._environment = self._cinder.environment(tree)

    def _find_report(self):
        # The first report comes before the drivers run, the second after.
        seen = {
            found.host: found.updated_at
            for found in self._cinder.volumes.services(binary=self._binary)
            if found.updated_at and datetime.datetime.fromisoformat(
                found.updated_at) >= self._launched}
        self._first = seen | self._first
        silent = {host for host in self._hosts
                  if seen.get(host) == self._first.get(host)}
        if silent:
            raise ValueError(f'no report of {", ".join(sorted(silent))}')


class Pools(service.Service):
    """The backends that the scheduler knows; no create works without them.

    :param cinder: the Cinder
    """

    def __init__(self, cinder):
        super().__init__('the pools of the scheduler')
        self._cinder = cinder

    def launch(self):
        """Do nothing: the volume services announce them."""

    def wait(self):
        wait_for('the scheduler to know all backends', self._find,
                 service.READY_SECONDS)

    def _find(self):
        wanted = {f'{cluster or host}@{backend}'
                  for host, (cluster, backends) in self._cinder.hosts.items()
                  for backend in backends}
        known = {pool.name.partition('#')[0]
                 for pool in self._cinder.volumes.backend_pools()}
        if not wanted <= known:
            raise ValueError(f'it knows {", ".join(sorted(known)) or "none"}')


class Types(service.Service):
    """The volume types, one of the same name for each backend.

    :param cinder: the Cinder
    """

    def __init__(self, cinder):
        super().__init__('the volume types')
        self._cinder = cinder

    def launch(self):
        for backend in BACKENDS:
            if self._cinder.volumes.find_type(backend) is None:
                self._cinder.volumes.create_type(
                    name=backend,
                    extra_specs={'volume_backend_name': backend})
