# SPDX-License-Identifier: Apache-2.0

"""Locks of each backend: ours, tooz's, and those of its own libraries.

Each has a name of its own, ``acquire()`` and ``release()``, and is made once
to be used again and again. Ours and tooz's come from the same coordinator.
"""

import collections
import contextlib
import os
from urllib import parse

import fasteners
import filelock
from kazoo import client as kazoo_client
import psycopg2
import redis

Lock = collections.namedtuple('Lock', 'acquire release')


@contextlib.contextmanager
def contenders(url, coordinator):
    """Connect the locks that are measured on a backend, for the context.

    :param url: the coordination URL of its server
    :param coordinator: Cinder's coordinator of that URL, started
    :returns: dict of ``read``, ``write`` and the names of the backend's peers
        -> lock
    """
    with contextlib.ExitStack() as stack:
        yield {
            'read': coordinator.get_read_lock('read'),
            'write': coordinator.get_write_lock('write'),
            'tooz': coordinator.get_lock('tooz'),
            **_peers(parse.urlsplit(url), stack),
        }


def _peers(address, stack):
    peers = {'file': _file, 'redis': _redis, 'zookeeper': _zookeeper,
             'postgresql': _postgresql}.get(address.scheme)
    return peers(address, stack) if peers else {}


def _file(address, stack):
    lock = fasteners.InterProcessReaderWriterLock(
        os.path.join(address.path, 'fasteners'))
    return {
        'fasteners_read': Lock(lock.acquire_read_lock,
                               lock.release_read_lock),
        'fasteners_write': Lock(lock.acquire_write_lock,
                                lock.release_write_lock),
        'filelock': filelock.FileLock(os.path.join(address.path, 'filelock')),
    }


def _redis(address, stack):
    client = redis.Redis(address.hostname, address.port,
                         password=address.password)
    stack.callback(client.close)
    return {'redis_py': client.lock('redis-py', timeout=30)}


def _zookeeper(address, stack):
    client = kazoo_client.KazooClient(
        '%s:%d' % (address.hostname, address.port))
    client.start()
    stack.callback(client.close)
    stack.callback(client.stop)
    return {'kazoo_read': client.ReadLock('/kazoo-read'),
            'kazoo_write': client.WriteLock('/kazoo-write')}


def _postgresql(address, stack):
    connection = psycopg2.connect(
        host=address.hostname, port=address.port, user=address.username,
        password=address.password,
        dbname=dict(parse.parse_qsl(address.query))['dbname'])
    stack.callback(connection.close)
    connection.autocommit = True
    cursor = connection.cursor()

    def ask(function):
        cursor.execute('SELECT %s(1)' % function)
        cursor.fetchone()

    return {
        'bare_shared': Lock(lambda: ask('pg_advisory_lock_shared'),
                            lambda: ask('pg_advisory_unlock_shared')),
        'bare': Lock(lambda: ask('pg_advisory_lock'),
                     lambda: ask('pg_advisory_unlock')),
    }
