# SPDX-License-Identifier: Apache-2.0

"""The child process: one Cinder tree's services, real ones, until told to end.

Run as ``python -m tools.measure.storm.cloud CONFIG_FILE TREE PARENT`` with the
tree first on the module path. It promises that the Cinder it runs is the
tree's, that API, scheduler and volume service answer once ``ready.json`` is in
the state directory, and that it ends, and removes that directory, when the
process PARENT that started it is gone.
"""

from cinder import monkey_patch

monkey_patch.patch()

import importlib.metadata  # noqa: E402,I100
import json  # noqa: E402
import os  # noqa: E402
import shutil  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402

from cinder.common import config  # noqa: E402,F401  registers options
from cinder.db import api as db  # noqa: E402
from cinder.db import migration  # noqa: E402
from oslo_config import cfg  # noqa: E402
from oslo_log import log as logging  # noqa: E402

import cinder  # noqa: E402,I202
from cinder.tests.functional import in_process  # noqa: E402
from cinder import version  # noqa: E402

from tools.common import files  # noqa: E402

BACKEND = 'copying'
DISTRIBUTIONS = ('eventlet', 'oslo.messaging', 'oslo.db', 'SQLAlchemy',
                 'tooz', 'fasteners')


class Observer:
    """A WSGI application that shows what the volume service did.

    ``/journal`` answers with the driver's finished calls as a list of
    [operation, resource id, source id, begin, end], times in seconds of the
    machine's monotonic clock; ``/checksum/ID`` with a text; ``/taken`` with
    the ids of the volumes whose create a worker has begun with.

    :param manager: the volume service's VolumeManager, with a CopyingDriver
    """

    def __init__(self, manager):
        self._driver = manager.driver
        self._taken = []
        update_capacity = manager._update_allocated_capacity

        def note(volume, *args, **kwargs):
            self._taken.append(volume.id)
            return update_capacity(volume, *args, **kwargs)

        # The last thing that a create does before it asks for its lock.
        manager._update_allocated_capacity = note

    def __call__(self, environ, respond):
        path = environ['PATH_INFO']
        if path == '/journal':
            answer = [list(interval) for interval in self._driver.journal]
        elif path == '/taken':
            answer = self._taken
        else:
            answer = self._driver.checksum(path.rpartition('/')[2])
        respond('200 OK', [('Content-Type', 'application/json')])
        return [json.dumps(answer).encode()]


def versions():
    """Return the versions of Cinder and of what it stands on, by name."""
    found = {name: importlib.metadata.version(name)
             for name in DISTRIBUTIONS}
    return {'cinder': version.version_string(),
            'python': sys.version.split()[0], **found}


def main(config_file, tree, parent):
    """Run one Cinder while the process lives that started it.

    :param config_file: path of a cinder.conf
    :param tree: path of the source tree that must provide ``cinder``
    :param parent: id of that process as text
    """
    if not os.path.realpath(cinder.__file__).startswith(
            os.path.realpath(tree) + os.sep):
        sys.exit('expected the cinder of %s, got %s' % (tree, cinder.__file__))
    conf = cfg.CONF
    conf(['--config-file', config_file], project='cinder',
         version=version.version_string())
    logging.setup(conf, 'cinder')
    in_process.serialize_sqlite(db.get_engine())
    migration.db_sync()
    services = in_process.Services(BACKEND)
    services.start()
    observer = in_process.ApiServer(Observer(services.volume.manager))
    observer.start()
    files.write_whole(os.path.join(conf.state_path, 'ready.json'), json.dumps({
        'api': services.api.url, 'observer': observer.url,
        'workers': conf.executor_thread_pool_size, 'versions': versions()}))
    while os.getppid() == int(parent):
        time.sleep(1)
    shutil.rmtree(conf.state_path, ignore_errors=True)
    # A graceful stop would wait for requests that nobody waits for any more.
    os._exit(0)


if __name__ == '__main__':
    main(*sys.argv[1:])
