# SPDX-License-Identifier: Apache-2.0

"""Cinder's concurrency for a process that measures. To be imported first.

Importing this module patches the process for eventlet, or keeps it on native
threads, as Cinder's services do, by OS_CINDER_DISABLE_EVENTLET_PATCHING.
"""

from cinder import monkey_patch

monkey_patch.patch()

from oslo_config import cfg  # noqa: E402,I202

from cinder import coordination  # noqa: E402,I202
from cinder import rwlock  # noqa: E402


def is_eventlet():
    """Return whether threads are eventlet's greenthreads here."""
    return monkey_patch.is_patched()


def rwlocks(url):
    """Return the backend of read and write locks for a URL of files.

    Its locks cost what they cost without Cinder's coordinator.

    :param str url: the coordination URL
    """
    return rwlock.get_backend(url, None)


def coordinator(url):
    """Return a started coordinator of Cinder, as a service has it.

    :param str url: the coordination URL
    """
    cfg.CONF.set_override('backend_url', url, 'coordination')
    started = coordination.Coordinator()
    started.start()
    return started
