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

"""The base of functional tests of concurrent operations.

It runs real services in one process, with real locks, a database file that
native threads can share, and the copying driver. The gates of the driver hold
operations, so that a test controls their order. Everything works with
eventlet and with native threads.
"""

import collections
from concurrent import futures
import contextlib
import os
import threading
import time

import fixtures
from oslo_config import cfg
from oslo_db.sqlalchemy import engines
from oslo_messaging import server
from oslo_service import wsgi
from oslo_utils import timeutils
import tooz

from cinder import coordination
from cinder.db import api as db_api
from cinder.tests.functional.api import client
from cinder.tests.functional import copying_driver
from cinder.tests.functional import in_process
from cinder.tests.unit import fake_constants as fake
from cinder.tests.unit import test
from cinder.volume import manager

CONF = cfg.CONF
PATIENCE = max(30, int(os.environ.get('OS_TEST_TIMEOUT') or 0) / 10)
"""Seconds after which a test that waits for something fails."""

GLIMPSE = 3
"""Seconds to watch for something that must not happen."""

PAUSE = 0.05
"""Seconds between two looks: an answer of the API takes a processor."""


class ConcurrentTestCase(test.TestCase):
    """Real services in one process, with real locks."""

    MOCK_TOOZ = False
    MOCK_WORKER = False
    BACKEND = 'copying'
    CLUSTER = None

    def setUp(self):
        super().setUp()
        # Known only once a server has started, and tests set one of them.
        CONF.register_opts(server._pool_opts)
        self.directory = directory = self.shared_directory()
        self._use_database_file(os.path.join(directory, 'cinder.sqlite'))
        self.lock_directory = os.path.join(directory, 'locks')
        self.override_config('backend_url', self.coordination_url(),
                             group='coordination')
        self.override_config(
            'volume_driver', copying_driver.__name__ + '.CopyingDriver',
            group='backend_defaults')
        self.override_config('copying_driver_directory', directory,
                             group='backend_defaults')
        self.override_config('enabled_backends', [self.BACKEND])
        self.override_config('scheduler_driver', 'cinder.scheduler.'
                             'filter_scheduler.FilterScheduler')
        self.override_config('service_down_time', 3600)
        self.override_config('use_default_quota_class', False)
        self.override_config('quota_volumes', -1)
        _group, wsgi_opts = wsgi.list_opts()[0]
        CONF.register_opts(wsgi_opts)
        self.override_config(
            'api_paste_config',
            os.path.join(self.SOURCE_TREE_ROOT, 'etc/cinder/api-paste.ini'))
        coordination.COORDINATOR.stop()
        copying_driver.CopyingDriver.reset()

    def coordination_url(self):
        """Return the coordination URL of the test."""
        return 'file://' + self.lock_directory

    def shared_directory(self):
        """Return the directory of the database, the storage and the locks."""
        return self.useFixture(fixtures.TempDir()).path

    def start_services(self):
        """Start the services and wait until the backend is ready."""
        services = in_process.Services(self.BACKEND, self.CLUSTER)
        services.start()
        self.addCleanup(services.volume.wait)
        self.addCleanup(services.stop)
        self.service = services.volume
        self.manager = self.service.manager
        self.driver = self.manager.driver
        self.api = client.TestOpenStackClient(
            fake.USER_ID, fake.PROJECT_ID, services.api.url + '/v3', '3.66')
        self.eventually(
            lambda: self.api.api_get('/scheduler-stats/get_pools')['pools'],
            'The scheduler does not know the backend')

    def _use_database_file(self, path):
        is_new = not os.path.exists(path)
        engine = engines.create_engine('sqlite:///' + path,
                                       sqlite_synchronous=False)
        in_process.serialize_sqlite(engine)
        self.addCleanup(engine.dispose)
        if is_new:
            with contextlib.closing(engine.raw_connection()) as connection:
                connection.executescript(test.DB_SCHEMA)
        self.addCleanup(db_api.main_context_manager.patch_engine(engine))

    def eventually(self, condition, message, patience=PATIENCE):
        """Wait until a condition is true; fail if it never is."""
        watch = timeutils.StopWatch(duration=patience)
        watch.start()
        while not condition():
            self.assertFalse(watch.expired(), message)
            time.sleep(PAUSE)

    def glimpse(self, condition):
        """Return whether a condition becomes true within GLIMPSE seconds."""
        watch = timeutils.StopWatch(duration=GLIMPSE)
        watch.start()
        while not watch.expired():
            if condition():
                return True
            time.sleep(PAUSE)
        return False

    def gate(self, operation):
        """Hold all driver calls of an operation until the gate is opened.

        :returns: A Gate.
        """
        gate = Gate()
        self.addCleanup(gate.open)
        copying_driver.CopyingDriver.gates[operation] = gate
        return gate

    def wait_for_locks_alone(self):
        """Let nobody wait for creates that have not asked for their lock."""
        if hasattr(manager, 'source_locks'):  # Not in Cinder as released.
            self.patch('cinder.volume.source_locks.LONGEST_WAIT_FOR_CREATES',
                       0, create=True)

    def gate_before_lock(self):
        """Hold creates in the manager before they acquire their lock.

        Nobody waits for these creates to ask for it.

        :returns: A Gate, which is called with the volumes.
        """
        self.wait_for_locks_alone()
        gate = Gate()
        self.addCleanup(gate.open)
        set_host = manager.VolumeManager._set_resource_host

        def wait_and_set_host(volume_manager, volume):
            gate(volume)
            set_host(volume_manager, volume)

        self.mock_object(manager.VolumeManager, '_set_resource_host',
                         wait_and_set_host)
        return gate

    def refuse_lock(self, name):
        """Let the lock of a name fail when it is asked for.

        :returns: A list that gets the name at each attempt.
        """
        refused = []
        get_lock = coordination.COORDINATOR.get_lock

        def refuse_or_get(wanted):
            if wanted == name:
                refused.append(name)
                raise tooz.ToozError('down')
            return get_lock(wanted)

        self.mock_object(coordination.COORDINATOR, 'get_lock', refuse_or_get)
        return refused

    def intervals(self, operation):
        """Return the finished driver calls of an operation, as Intervals."""
        return [interval for interval in self.driver.journal
                if interval.operation == operation]

    def record_statuses(self):
        """Record the statuses of all volumes from now on.

        :returns: A dict from the id of a volume to its statuses, in order.
        """
        statuses = collections.defaultdict(list)
        update = db_api.volume_update

        def record_and_update(ctxt, volume_id, values):
            if 'status' in values:
                statuses[volume_id].append(values['status'])
            return update(ctxt, volume_id, values)

        self.mock_object(db_api, 'volume_update', record_and_update)
        return statuses

    def in_thread(self, function, *args, **kwargs):
        """Call a function in a thread of its own.

        :returns: Its future, a concurrent.futures.Future.
        """
        future = futures.Future()

        def run():
            try:
                future.set_result(function(*args, **kwargs))
            except Exception as error:
                future.set_exception(error)

        threading.Thread(target=run, daemon=True).start()
        return future

    def assertWaitsForCreates(self, begin, operation, creates, source):
        """Assert that an operation waits for creates from its source.

        :param begin: A function that sends the operation.
        :param operation: The name of it in the journal of the driver.
        :param creates: The Gate that holds the creates inside the driver.
        :param source: The Source.
        """
        self.wait_for_locks_alone()
        gate = self.gate(operation)
        begin()
        self.glimpse(lambda: gate.arrived or source.is_closed_to_creates())
        gate.open()
        if gate.arrived:
            self.glimpse(lambda: self.intervals(operation))
        creates.open()
        self.eventually(lambda: self.intervals(operation),
                        'The %s does not run' % operation)
        self.eventually(
            lambda: all(volume in [interval.resource_id for interval in
                                   self.intervals('create_from_source')]
                        for volume in creates.arrived),
            'The creates do not end')
        last_create = max(interval.end for interval in
                          self.intervals('create_from_source')
                          if interval.source_id == source.id)
        first = min(interval.begin for interval in self.intervals(operation))
        self.assertGreater(first, last_create,
                           'The source was changed under a create')

    def create_volume(self, **source):
        """Send a create and return the id of the volume."""
        return self.api.post_volume({'volume': dict(source, size=1)})['id']

    def create_volumes(self, count, **source):
        """Send creates and return the ids of the volumes."""
        return [self.create_volume(**source) for _number in range(count)]

    def status(self, volume_id):
        return self.api.get_volume(volume_id)['status']

    def user_messages(self, volume_id):
        """Return the user messages about a volume, one a line."""
        return '\n'.join(
            message['user_message']
            for message in self.api.api_get('/messages')['messages']
            if message['resource_uuid'] == volume_id)

    def wait_for_status(self, volume_ids, expected):
        """Wait until volumes leave their transient status, and check it."""
        moving = ('creating', 'deleting', 'downloading')
        for volume_id in volume_ids:
            self.eventually(lambda: self.status(volume_id) not in moving,
                            'A create does not end')
        self.assertEqual([expected] * len(volume_ids),
                         [self.status(volume) for volume in volume_ids])

    def is_gone(self, get, resource_id):
        """Return whether the API answers 404 for a volume or snapshot."""
        try:
            get(resource_id)
        except client.OpenStackApiException404:
            return True
        return False


class Gate:
    """Holds threads until it is opened.

    :ivar arrived: The ids of the resources that it was called with.
    """

    def __init__(self):
        self.arrived = []
        self._opened = threading.Event()

    def __call__(self, resource):
        self.arrived.append(resource.id)
        self._opened.wait()

    def open(self):
        self._opened.set()


class Source:
    """A snapshot or a volume to create volumes from.

    :param test_case: A ConcurrentTestCase with running services.
    :param str kind: ``snapshot`` or ``volume``.
    :param str source_id: The id of one that exists; the default is to make
        a new one.
    """

    def __init__(self, test_case, kind, source_id=None):
        self._test_case = test_case
        api = test_case.api
        if kind == 'volume':
            self._get, self.delete_request = (api.get_volume,
                                              api.delete_volume)
        else:
            self._get, self.delete_request = (api.get_snapshot,
                                              api.delete_snapshot)
        self.id = source_id or self._make(kind)
        self.request = {'source_volid' if kind == 'volume'
                        else 'snapshot_id': self.id}
        self.lock_name = '%s-delete_%s' % (self.id, kind)
        self.delete_operation = 'delete_' + kind
        self.checksum = test_case.driver.checksum(self.id)

    def _make(self, kind):
        volume_id = self._test_case.create_volume()
        self._test_case.wait_for_status([volume_id], 'available')
        if kind == 'volume':
            return volume_id
        snapshot_id = self._test_case.api.post_snapshot(
            {'snapshot': {'volume_id': volume_id}})['id']
        self._test_case.eventually(
            lambda: self._get(snapshot_id)['status'] == 'available',
            'The snapshot does not become available')
        return snapshot_id

    def delete(self):
        """Send the delete of the source."""
        self.delete_request(self.id)

    def status(self):
        return self._get(self.id)['status']

    def is_gone(self):
        return self._test_case.is_gone(self._get, self.id)

    def is_closed_to_creates(self):
        """Return whether a new create would wait, with locks to share."""
        return self.is_read() and is_locked(self.lock_name, shared=True)

    def is_read(self):
        """Return whether a new delete would wait, with locks to share."""
        return (getattr(coordination.COORDINATOR, 'shares_locks', False)
                and is_locked(self.lock_name))


def is_locked(name, **how):
    """Return whether a lock cannot be acquired now.

    :param str name: Its name.
    :param how: What ``acquire()`` of the lock gets.
    """
    lock = coordination.COORDINATOR.get_lock(name)
    if lock.acquire(blocking=False, **how):
        lock.release()
        return False
    return True
