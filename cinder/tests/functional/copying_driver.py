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

"""A volume driver that shows when a source is deleted during a create.

Volumes and snapshots are files in one directory. A create from a source
copies its file piece by piece, and opens it again for every piece. A delete
overwrites the file with zeros and then unlinks it. If there is nothing to
read, the copy gets zeros, as from a thin or freshly zeroed volume. So a create
whose source is deleted meanwhile ends with an ``available`` volume and a wrong
checksum.

The driver keeps a journal of its calls. A test controls it through gates,
which the driver calls inside its operations.
"""

import collections
import contextlib
import hashlib
import os
import shutil
import threading
import time

from oslo_config import cfg

from cinder import exception
from cinder.volume import configuration
from cinder.volume import driver

OPTS = [
    cfg.StrOpt('copying_driver_directory',
               help='Directory that holds the volumes and snapshots.'),
    cfg.FloatOpt('copying_driver_seconds',
                 default=0,
                 help='Time in seconds that a create from a source takes.'),
]

cfg.CONF.register_opts(OPTS, group=configuration.SHARED_CONF_GROUP)

PIECES = 32
PIECE_SIZE = 4096

Interval = collections.namedtuple(
    'Interval', 'operation resource_id source_id begin end')
"""One driver call: the operation, the ids of its resource and of its source,
and when it began and ended by time.monotonic()."""


class CopyingDriver(driver.VolumeDriver):
    """Volumes and snapshots as plain files, copied in pieces."""

    VERSION = '1.0.0'
    CI_WIKI_NAME = 'none, a test driver'
    SUPPORTS_ACTIVE_ACTIVE = True
    PARALLEL_CREATES_FROM_SNAPSHOT = True
    PARALLEL_CREATES_FROM_VOLUME = True

    gates = {}
    """Name of an operation -> function(resource), called inside it."""

    journal = []
    """The Intervals of all finished driver calls, in the order of their ends.
    """

    _inside = collections.Counter()
    _most_inside = collections.Counter()
    _mutex = threading.Lock()

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.configuration.append_config_values(OPTS)
        self._directory = self.configuration.copying_driver_directory

    @classmethod
    def reset(cls):
        """Forget gates, journal and counts of earlier tests."""
        cls.gates = {}
        cls.journal = []
        cls._inside = collections.Counter()
        cls._most_inside = collections.Counter()

    @classmethod
    def most_inside(cls, operation):
        """Return how many calls of an operation ran at once at the most."""
        return cls._most_inside[operation]

    @staticmethod
    def get_driver_options():
        return OPTS

    @classmethod
    @contextlib.contextmanager
    def recorded(cls, operation, resource, source_id=None):
        """Call the gate of an operation, and record the operation at its end.

        :param str operation: The name of the operation.
        :param resource: The Volume or Snapshot that it changes.
        :param source_id: The id of the source that it reads, if any.
        """
        begin = time.monotonic()
        with cls._mutex:
            cls._inside[operation] += 1
            cls._most_inside[operation] = max(cls._most_inside[operation],
                                              cls._inside[operation])
        try:
            gate = cls.gates.get(operation)
            if gate is not None:
                gate(resource)
            yield
        finally:
            with cls._mutex:
                cls._inside[operation] -= 1
            cls.journal.append(Interval(operation, resource.id, source_id,
                                        begin, time.monotonic()))

    def path_of(self, resource_id):
        """Return the path of the file that holds a volume or snapshot."""
        return os.path.join(self._directory, resource_id)

    def checksum(self, resource_id):
        """Return the SHA-256 of a volume or snapshot, as hexadecimal text."""
        with open(self.path_of(resource_id), 'rb') as stored:
            return hashlib.sha256(stored.read()).hexdigest()

    def _read_piece(self, path, number):
        try:
            with open(path, 'rb') as source:
                source.seek(number * PIECE_SIZE)
                data = source.read(PIECE_SIZE)
        except FileNotFoundError:
            data = b''
        return data.ljust(PIECE_SIZE, b'\0')

    def _copy(self, resource_id, source_id):
        pause = self.configuration.copying_driver_seconds / PIECES
        with open(self.path_of(resource_id), 'wb') as target:
            for number in range(PIECES):
                target.write(self._read_piece(self.path_of(source_id),
                                              number))
                time.sleep(pause)

    def _delete(self, resource_id):
        path = self.path_of(resource_id)
        try:
            with open(path, 'r+b') as stored:
                stored.write(bytes(PIECES * PIECE_SIZE))
            os.unlink(path)
        except FileNotFoundError:
            pass

    def check_for_setup_error(self):
        if not os.path.isdir(self._directory or ''):
            problem = ('copying_driver_directory: expected a directory, '
                       'found %r' % self._directory)
            raise exception.InvalidConfigurationValue(problem)

    def create_volume(self, volume):
        with self.recorded('create_volume', volume):
            with open(self.path_of(volume.name_id), 'wb') as target:
                target.write(os.urandom(PIECES * PIECE_SIZE))

    def create_volume_from_snapshot(self, volume, snapshot):
        with self.recorded('create_from_source', volume, snapshot.id):
            self._copy(volume.name_id, snapshot.id)

    def create_cloned_volume(self, volume, src_vref):
        with self.recorded('create_from_source', volume, src_vref.id):
            self._copy(volume.name_id, src_vref.name_id)

    def copy_image_to_volume(self, context, volume, image_service, image_id,
                             disable_sparse=False):
        with self.recorded('copy_image_to_volume', volume, image_id):
            with open(self.path_of(volume.name_id), 'wb') as target:
                image_service.download(context, image_id, target)

    def delete_volume(self, volume):
        with self.recorded('delete_volume', volume):
            self._delete(volume.name_id)

    def create_snapshot(self, snapshot):
        with self.recorded('create_snapshot', snapshot):
            shutil.copyfile(self.path_of(snapshot.volume.name_id),
                            self.path_of(snapshot.id))

    def delete_snapshot(self, snapshot):
        with self.recorded('delete_snapshot', snapshot):
            self._delete(snapshot.id)

    def revert_to_snapshot(self, context, volume, snapshot):
        with self.recorded('revert_to_snapshot', volume):
            self._copy(volume.name_id, snapshot.id)

    def migrate_volume(self, context, volume, host):
        with self.recorded('migrate_volume', volume):
            self._move(volume)
        return True, None

    def retype(self, context, volume, new_type, diff, host):
        with self.recorded('retype', volume):
            self._move(volume)
        return True

    def _move(self, volume):
        """Make new storage for a volume and delete the old."""
        path = self.path_of(volume.name_id)
        shutil.copyfile(path, path + '.new')
        self._delete(volume.name_id)
        os.rename(path + '.new', path)

    def ensure_export(self, context, volume):
        pass

    def create_export(self, context, volume, connector):
        pass

    def remove_export(self, context, volume):
        pass

    def initialize_connection(self, volume, connector):
        return {'driver_volume_type': 'local',
                'data': {'device_path': self.path_of(volume.name_id)}}

    def terminate_connection(self, volume, connector, **kwargs):
        pass

    def _update_volume_stats(self):
        name = self.configuration.safe_get('volume_backend_name')
        self._stats = {
            'volume_backend_name': name or type(self).__name__,
            'vendor_name': 'Open Source',
            'driver_version': self.VERSION,
            'storage_protocol': 'file',
            'total_capacity_gb': 'infinite',
            'free_capacity_gb': 'infinite',
        }
