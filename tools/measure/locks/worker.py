# SPDX-License-Identifier: Apache-2.0

"""A process that takes locks and tells how long it took.

It uses whatever tooz it finds: the one with the series, or the one that is
installed, beside the locks of other libraries. It greets with the names of
its locks and answers requests, a line of JSON each.
"""

import contextlib
import json
import os
import resource
import select
import sys
import threading
import time
import timeit
from urllib import parse

import fasteners
import filelock
from kazoo import client as kazoo_client
import redis
from tooz import coordination


def locks(url, coordinator, stack):
    """Return the locks that this process measures.

    :param str url: the coordination URL
    :param coordinator: a coordinator of that URL, started
    :param contextlib.ExitStack stack: closes what the locks need
    :returns: dict of name -> generator function that makes a lock, acquires
        it, yields and releases it
    """
    if hasattr(coordination.Characteristics, 'SHARED_LOCKS'):
        return {'shared': _tooz(coordinator, b'shared', shared=True),
                'exclusive': _tooz(coordinator, b'exclusive')}
    address = parse.urlsplit(url)
    peers = {'file': _file, 'redis': _redis, 'zookeeper': _zookeeper}
    return {'tooz': _tooz(coordinator, b'tooz'),
            **peers.get(address.scheme, lambda *_: {})(address, stack)}


def _tooz(coordinator, name, **how):
    def use():
        lock = coordinator.get_lock(name)
        lock.acquire(**how)
        yield
        lock.release()

    return use


def _peer(make):
    def use():
        lock = make()
        lock.acquire()
        yield
        lock.release()

    return use


def _file(address, _stack):
    path = os.path.join(address.path, 'fasteners')

    def read():
        lock = fasteners.InterProcessReaderWriterLock(path)
        lock.acquire_read_lock()
        yield
        lock.release_read_lock()

    def write():
        lock = fasteners.InterProcessReaderWriterLock(path)
        lock.acquire_write_lock()
        yield
        lock.release_write_lock()

    return {'fasteners_read': read, 'fasteners_write': write,
            'filelock': _peer(lambda: filelock.FileLock(
                os.path.join(address.path, 'filelock')))}


def _redis(address, stack):
    client = redis.Redis(address.hostname, address.port)
    stack.callback(client.close)
    return {'redis_py': _peer(lambda: client.lock('redis-py', timeout=30))}


def _zookeeper(address, stack):
    client = kazoo_client.KazooClient(f'{address.hostname}:{address.port}')
    client.start()
    stack.callback(client.close)
    stack.callback(client.stop)
    return {'kazoo_read': _peer(lambda: client.ReadLock('/kazoo-read')),
            'kazoo_write': _peer(lambda: client.WriteLock('/kazoo-write'))}


class Worker:
    """What the process does on request.

    :param coordinator: a coordinator of tooz, started
    :param locks: what :func:`locks` returns
    """

    def __init__(self, coordinator, locks):
        self._get_lock = coordinator.get_lock
        self._locks = locks
        self._used = None
        self._held = {}
        self._waiting = {}

    def seconds(self, lock, uses):
        """Return how many seconds one use of a lock takes.

        :param str lock: its name, a key of what :func:`locks` returns
        :param int uses: how many uses in a row are timed
        """
        make = self._locks[lock]

        def use():
            for _acquired in make():
                pass

        return timeit.timeit(use, number=uses) / uses

    def acquire(self, lock):
        """Make and acquire a lock.

        :param str lock: as for :meth:`seconds`
        """
        self._used = self._locks[lock]()
        next(self._used)

    def release(self):
        """Release what :meth:`acquire` acquired."""
        next(self._used, None)

    def hold(self, name, shared, number):
        """Acquire the lock of a name with so many lock objects.

        :param str name: the name
        :param bool shared: whether they share it
        :param int number: how many
        """
        self._held[name] = [self._get_lock(name.encode())
                            for _holder in range(number)]
        for lock in self._held[name]:
            lock.acquire(shared=shared)

    def let_go(self, name):
        """Release what :meth:`hold` acquired.

        :param str name: the name
        :returns: when the last release began, in seconds of
            ``time.monotonic()``, which all processes of a host share
        """
        *others, last = self._held.pop(name)
        for lock in others:
            lock.release()
        begin = time.monotonic()
        last.release()
        return begin

    def wait(self, name, shared, number):
        """Let so many threads wait for the lock of a name.

        :param str name: the name
        :param bool shared: whether they share it
        :param int number: how many
        """
        times = []

        def acquire(lock):
            lock.acquire(shared=shared)
            times.append(time.monotonic())
            lock.release()

        threads = [threading.Thread(target=acquire, daemon=True,
                                    args=(self._get_lock(name.encode()),))
                   for _waiter in range(number)]
        self._waiting[name] = threads, times
        for thread in threads:
            thread.start()

    def last(self, name):
        """Wait for the threads of :meth:`wait`.

        :param str name: the name
        :returns: when the last of them got its lock, as :meth:`let_go` tells
            it
        :raises RuntimeError: if one did not get it
        """
        threads, times = self._waiting.pop(name)
        for thread in threads:
            thread.join()
        if len(times) < len(threads):
            raise RuntimeError('a waiting thread did not get its lock')
        return max(times)

    def read(self, names, uses):
        """Let a thread for each name share its lock again and again.

        Each makes and acquires the lock, lets the others run and releases it.

        :param list[str] names: the names, of which many may be the same
        :param int uses: how often each thread does so
        :returns: how many seconds one use takes on average
        """
        barrier = threading.Barrier(len(names) + 1)

        def use(name):
            barrier.wait()
            for _use in range(uses):
                lock = self._get_lock(name)
                lock.acquire(shared=True)
                time.sleep(0)
                lock.release()

        threads = [threading.Thread(target=use, args=(name.encode(),))
                   for name in names]
        for thread in threads:
            thread.start()
        barrier.wait()
        begin = time.perf_counter()
        for thread in threads:
            thread.join()
        return (time.perf_counter() - begin) / (uses * len(names))

    def crowd(self, names):
        """Share the lock of each name, all at once.

        :param list[str] names: the names, of which many may be the same
        :returns: two lists in the order of the names, the seconds that each
            took to be made and acquired, and to be released and dropped while
            all before it were held
        """
        held, acquires, releases = [], [], []
        for name in names:
            begin = time.perf_counter()
            lock = self._get_lock(name.encode())
            lock.acquire(shared=True)
            acquires.append(time.perf_counter() - begin)
            held.append(lock)
        del lock
        while held:
            begin = time.perf_counter()
            held.pop().release()
            releases.append(time.perf_counter() - begin)
        releases.reverse()
        return acquires, releases


def main(url):
    """Serve requests until the standard input ends.

    :param str url: the coordination URL
    """
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with contextlib.ExitStack() as stack:
        coordinator = coordination.get_coordinator(
            url, str(os.getpid()).encode())
        coordinator.start(start_heart=True)
        stack.callback(coordinator.stop)
        ours = locks(url, coordinator, stack)
        worker = Worker(coordinator, ours)
        print(json.dumps(list(ours)), flush=True)
        # With eventlet, others run while this one waits in select().
        while select.select([sys.stdin], [], []) and (
                line := sys.stdin.readline()):
            action, *args = json.loads(line)
            print(json.dumps(getattr(worker, action)(*args)), flush=True)
