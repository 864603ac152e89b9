# SPDX-License-Identifier: Apache-2.0

"""Which services the cloud has, and in which order they start."""

import dataclasses

from tools.cloud.deployment import Deployment
from tools.cloud.services.ceph import Ceph
from tools.cloud.services import cinder
from tools.cloud.services.etcd import Cluster
from tools.cloud.services.keystone import Catalog
from tools.cloud.services.keystone import Keystone
from tools.cloud.services.mariadb import MariaDB
from tools.cloud.services import nfs
from tools.cloud.services.rabbitmq import PortMapper
from tools.cloud.services.rabbitmq import RabbitMQ
from tools.cloud.services.redis import Redis

SERVERS = {'etcd3': Cluster, 'redis': Redis}
"""Name of a server of locks -> the class of its service."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """What differs from cloud to cloud.

    :param coordination: where locks are: a key of SERVERS, or 'file', which
        leaves one host in the cluster
    :param threads: True for native threads, False for eventlet
    :param latency: seconds, as a number, by which Ceph's answers to Cinder
        are delayed at most; with 0 RBD clones snapshots, with more it copies
        their data
    :param options: further options of cinder.conf, a tuple of (section,
        name, value)
    """

    coordination: str = 'etcd3'
    threads: bool = False
    latency: float = 0
    options: tuple = ()

    def __str__(self):
        return (f'locks on {self.coordination}, '
                f'{"native threads" if self.threads else "eventlet"}, '
                f'{self.latency} s of latency in Ceph')


def lay_out(site, tree, settings=Settings(), server=None):
    """Describe the whole deployment.

    :param site: the tools.cloud.site.Site, which has been made
    :param tree: pathlib.Path of the Cinder source tree of all its services
    :param settings: the Settings
    :param server: the service that has the locks; default is a new one
    :returns: a tools.cloud.deployment.Deployment that has not started, and
        the tools.cloud.services.cinder.Cinder in it
    :raises ToolError: if something is missing
    """
    database = MariaDB(site, ['keystone', 'cinder'])
    mapper = PortMapper(site)
    queue = RabbitMQ(site, mapper)
    if server is None and settings.coordination in SERVERS:
        server = SERVERS[settings.coordination](site)
    ceph = Ceph(site, settings.latency)
    share = nfs.Share(site)
    keystone = Keystone(site, database.url('keystone'))
    services = cinder.Cinder(
        site, keystone, server, settings, transport=queue.url,
        database=database.url('cinder'), ceph_config=ceph.config,
        mounts=share.base, share=nfs.SHARE)
    api = cinder.API(services, tree)
    volumes = [cinder.Agent(services, tree, 'cinder-volume', host, member)
               for member, host in enumerate(services.hosts, 1)]
    # Slow starters come early, beside services that do not need them.
    return Deployment([
        [mapper, database, ceph.monitor, ceph.manager],
        [queue, share, *filter(None, [server]), ceph.osd, keystone,
         cinder.Schema(services, tree), ceph.pool],
        [Catalog(site, keystone, 'cinder', 'block-storage', f'{api.url}/v3')],
        [api, cinder.Agent(services, tree, 'cinder-scheduler', 'scheduler', 1),
         *volumes],
        [cinder.Pools(services), cinder.Types(services)],
    ]), services
