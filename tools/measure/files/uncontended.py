# SPDX-License-Identifier: Apache-2.0

"""Acquire and release of a lock that nobody else wants.

Twice: with lock objects that are made once and used again and again, and
with objects made for every use, as Cinder's code does. The latter come from
Cinder's coordinator, configured as in a service.
"""

import os

import fasteners
from tooz import coordination

from tools.measure.files import patched
from tools.measure.files import turns

ROUNDS = 60
CALLS = 100


def measure(backend, directory):
    """Return the ratios to tooz's and fasteners' locks.

    :param backend: the file backend of read and write locks
    :param directory: the directory of the lock files, as text
    """
    url = 'file://' + directory
    driver = coordination.get_coordinator(url, b'm')
    driver.start()
    coordinator = patched.coordinator(url)
    try:
        return {**_reused(backend, driver, directory),
                **_made(coordinator, directory)}
    finally:
        coordinator.stop()
        driver.stop()


def _reused(backend, driver, directory):
    read_lock = backend.read_lock(b'read')
    write_lock = backend.write_lock(b'write')
    tooz_lock = driver.get_lock(b'tooz')
    fasteners_lock = fasteners.InterProcessReaderWriterLock(
        os.path.join(directory, 'fasteners'))

    def read():
        read_lock.acquire()
        read_lock.release()

    def write():
        write_lock.acquire()
        write_lock.release()

    def tooz():
        tooz_lock.acquire()
        tooz_lock.release()

    def fasteners_read():
        fasteners_lock.acquire_read_lock()
        fasteners_lock.release_read_lock()

    seconds = turns.take_turns(ROUNDS, CALLS, read=read, tooz=tooz,
                               fasteners=fasteners_read, write=write)
    return {
        'read_tooz': turns.ratio(seconds['read'], seconds['tooz']),
        'read_fasteners': turns.ratio(seconds['read'], seconds['fasteners']),
        'write_tooz': turns.ratio(seconds['write'], seconds['tooz']),
    }


def _made(coordinator, directory):
    path = os.path.join(directory, 'made-fasteners')

    def read():
        with coordinator.get_read_lock('made-read'):
            pass

    def write():
        with coordinator.get_write_lock('made-write'):
            pass

    def tooz():
        with coordinator.get_lock('made-tooz'):
            pass

    def fasteners_read():
        with fasteners.InterProcessReaderWriterLock(path).read_lock():
            pass

    seconds = turns.take_turns(ROUNDS, CALLS, read=read, tooz=tooz,
                               fasteners=fasteners_read, write=write)
    return {
        'made_read_tooz': turns.ratio(seconds['read'], seconds['tooz']),
        'made_read_fasteners': turns.ratio(seconds['read'],
                                           seconds['fasteners']),
        'made_write_tooz': turns.ratio(seconds['write'], seconds['tooz']),
    }
