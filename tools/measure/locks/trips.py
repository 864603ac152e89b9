# SPDX-License-Identifier: Apache-2.0

"""Round trips of an acquire and of a release, counted by a TCP proxy."""

import contextlib
import os
import statistics
from urllib import parse

from tools.measure.locks.contenders import contenders

# Heartbeats pass the proxy too, so a few counts are too high.
ROUNDS = 9
PROXY = os.path.join('functional', 'rwlock', 'proxy.py')


def measure(backend, url, coordinator):
    """Return the round trips of every lock, medians of ROUNDS.

    :param backend: not used
    :param url: the coordination URL of its server
    :param coordinator: not used
    """
    from cinder.tests import line_process
    from tools.measure.locks import patched

    with contextlib.ExitStack() as stack:
        proxy = line_process.LineProcess(os.path.join(
            os.path.dirname(line_process.__file__), PROXY))
        stack.callback(proxy.kill)
        port = proxy.do('forward', parse.urlsplit(url).port)
        through = with_port(url, port)
        behind_proxy = patched.coordinator(through)
        stack.callback(behind_proxy.stop)
        locks = stack.enter_context(contenders(through, behind_proxy))
        values = {}
        for name, lock in locks.items():
            acquires, releases = count(lock, lambda: proxy.do('trips'))
            values[name + '_acquire'] = statistics.median(acquires)
            values[name + '_release'] = statistics.median(releases)
    return values


def with_port(url, port):
    """Return a URL with another port."""
    address = parse.urlsplit(url)
    host = address.netloc.rpartition(':')[0]
    return address._replace(netloc='%s:%d' % (host, port)).geturl()


def count(lock, trips):
    """Return the round trips of acquires and of releases, two lists.

    The first acquire and release, which may open a connection or ask for a
    lease, do not count.

    :param trips: function that returns the round trips since its last call
    """
    acquires, releases = [], []
    for _round in range(1 + ROUNDS):
        trips()
        lock.acquire()
        acquires.append(trips())
        lock.release()
        releases.append(trips())
    return acquires[1:], releases[1:]
