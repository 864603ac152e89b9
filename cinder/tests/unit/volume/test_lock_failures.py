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

"""How operations end when the locks of their sources fail.

Without its lock an operation does nothing and ends as after any other error.
Once it has its lock, only a reader whose lock was lost ends in an error; every
other operation ends as with good locks.  Nothing stays in between.
"""

import itertools
from unittest import mock

import ddt
from oslo_config import cfg
from tooz import coordination as tooz

from cinder.db import api as db
from cinder import exception
from cinder.message import message_field
from cinder import objects
from cinder import quota_utils
from cinder.tests.unit import fake_constants as fake
from cinder.tests.unit import utils
from cinder.tests.unit import volume as base
from cinder.volume import manager
from cinder.volume import rpcapi

CONF = cfg.CONF
HOST = {'host': CONF.host}
NOT_LOCKED = message_field.Detail.SOURCE_NOT_LOCKED
LOCK_LOST = message_field.Detail.SOURCE_LOCK_LOST


def away(**ignored):
    raise tooz.ToozConnectionError('away')


def no_space(**ignored):
    raise OSError('no space')


FAILURES = {
    'none': {},
    'not_acquired': {'acquire.side_effect': away},
    'no_lock_file': {'acquire.side_effect': no_space},
    'not_released': {'release.side_effect': away},
    'lost': {'release.return_value': False},
}

OPERATIONS = {
    # The method of the test case that runs it: the state when no lock is
    # acquired (None if it needs none), the state when all is well, and whether
    # users are told.  A state is the text of LockFailuresTestCase.state().
    'create_from_snapshot': ('volume error', 'volume available', True),
    'create_from_volume': ('volume error', 'volume available', True),
    'create_group_from_snapshots': (
        'group error, volume error',
        'group available, volume available', False),
    'create_group_from_group': (
        'group error, volume error',
        'group available, volume available', False),
    'delete_volume': ('volume error_deleting', 'volume gone', True),
    'delete_migration_target': (
        'target error_deleting target:' + fake.VOLUME_ID, 'target gone', True),
    'delete_cascade': (
        'volume error_deleting, snapshot error_deleting',
        'volume gone, snapshot gone', True),
    'unmanage_volume': ('volume error_unmanaging', 'volume gone', True),
    'delete_snapshot': ('snapshot error_deleting', 'snapshot gone', True),
    'unmanage_snapshot': ('snapshot error_deleting', 'snapshot gone', True),
    'delete_group': (
        'group error, volume error', 'group gone, volume gone', False),
    'delete_group_snapshot': (
        'group_snapshot error, snapshot error',
        'group_snapshot gone, snapshot gone', False),
    'revert': (
        'volume error, snapshot available',
        'volume available, snapshot available', False),
    'reimage': (
        'volume error/downloading', 'volume reserved/reserved', False),
    'reimage_from_snapshot': (
        'volume error/downloading', 'volume reserved/reserved', False),
    'retype': ('volume in-use/in-use', 'volume in-use/in-use', False),
    'retype_on_demand': (
        'volume available/available error', 'volume available/available',
        False),
    'migrate': (
        'volume available/available error',
        'volume available/maintenance success', False),
    'complete': (
        'volume available/available error, target gone',
        'volume available/available success, target gone', False),
    'complete_in_use': (
        None, 'volume in-use/available success, target gone', False),
    'copy': (
        'volume available/available error, target gone',
        'volume available/available success, target gone', False),
}
READERS = {name for name in OPERATIONS if '_from_' in name}


@ddt.ddt
class LockFailuresTestCase(base.BaseVolumeTestCase):

    def setUp(self):
        super().setUp()
        self.lock = mock.MagicMock()
        self.patch('cinder.coordination.Coordinator.get_lock',
                   return_value=self.lock)
        self.types = {
            name: utils.create_volume_type(
                self.context, name=name, extra_specs={'key': name}).id
            for name in ('old', 'new')}
        self.mock_object(self.volume, '_get_service',
                         return_value=utils.create_service(self.context))
        self.mock_object(
            rpcapi.VolumeAPI, 'delete_volume',
            lambda api, context, volume, *args, **kwargs: volume.destroy())
        self.made = {}
        self.attachments = {}
        self.work = []

    @ddt.idata(itertools.product(OPERATIONS, FAILURES))
    @ddt.unpack
    def test_end(self, operation, failure):
        refused, well, is_told = OPERATIONS[operation]
        self.lock.configure_mock(**FAILURES[failure])
        is_refused = refused is not None and failure in ('not_acquired',
                                                         'no_lock_file')
        fails = is_refused or failure == 'lost' and operation in READERS
        try:
            getattr(self, operation)()
        except Exception:
            self.assertTrue(fails)
        else:
            self.assertFalse(fails)
        self.assertEqual(refused if fails else well, self.state())
        for work in self.work:
            self.assertEqual(not is_refused, work.called)
        self.assertEqual(
            [NOT_LOCKED if is_refused else LOCK_LOST] * (fails and is_told),
            [call[1]['detail']
             for call in self.volume.message_api.create.call_args_list])
        self.assertQuotasSettled()

    def state(self):
        """Return the state of what was made, in the order of its making.

        :returns: For each resource its role and status, then what it has of
            a previous status, after a slash, and of a migration status.
        """
        return ', '.join('%s %s' % (role, self.state_of(resource))
                         for role, resource in self.made.items())

    def state_of(self, resource):
        try:
            resource = resource.get_by_id(self.context, resource.id)
        except exception.NotFound:
            return 'gone'
        state = resource.status
        if resource.obj_name() == 'Volume':
            self.assertEqual(
                self.attachments.get(resource.id, []),
                [attachment.id for attachment in resource.volume_attachment])
            if resource.previous_status:
                state += '/' + resource.previous_status
            if resource.migration_status:
                state += ' ' + resource.migration_status
        return state

    def assertQuotasSettled(self):
        volumes = objects.VolumeList.get_all(self.context)
        usages = db.quota_usage_get_all_by_project(
            self.context, self.context.project_id)
        for resource, usage in usages.items():
            if resource != 'project_id':
                self.assertEqual(0, usage['reserved'], resource)
        for name, type_id in self.types.items():
            self.assertEqual(
                len([volume for volume in volumes
                     if volume.volume_type_id == type_id]),
                usages.get('volumes_' + name, {'in_use': 0})['in_use'])

    # What the operations work on.

    def make(self, role, resource):
        self.made[role] = resource
        return resource

    def new_volume(self, status, **kwargs):
        return utils.create_volume(self.context, host=CONF.host,
                                   status=status, **kwargs)

    def new_snapshot(self, status, volume=None, **kwargs):
        volume = volume or self.new_volume('available')
        return utils.create_snapshot(self.context, volume.id, status=status,
                                     **kwargs)

    def new_group(self, status, **kwargs):
        return utils.create_group(
            self.context, host=CONF.host, status=status,
            group_type_id=fake.GROUP_TYPE_ID,
            volume_type_ids=[fake.VOLUME_TYPE2_ID], **kwargs)

    def attach(self, volume):
        status = volume.status
        volume = utils.attach_volume(self.context, volume, fake.INSTANCE_ID,
                                     'a host', '/dev/vda')
        volume.status = status
        volume.save()
        self.attachments[volume.id] = [volume.volume_attachment[0].id]
        return volume

    def works(self, target, method, returns=None):
        """Let a method of the driver, or of the manager, do nothing."""
        self.work.append(
            self.mock_object(target, method, return_value=returns))

    def driver_works(self, method, returns=None):
        self.works(self.volume.driver, method, returns)

    # The operations.

    def create_from_snapshot(self):
        source = self.new_snapshot('available')
        self.driver_works('create_volume_from_snapshot')
        self.volume.create_volume(self.context, self.make(
            'volume', self.new_volume('creating', snapshot_id=source.id)))

    def create_from_volume(self):
        source = self.new_volume('available')
        self.driver_works('create_cloned_volume')
        self.volume.create_volume(self.context, self.make(
            'volume', self.new_volume('creating', source_volid=source.id)))

    def create_group(self, volume, **source):
        group = self.make('group', self.new_group('creating'))
        self.make('volume', self.new_volume('creating', group_id=group.id,
                                            **volume))
        self.driver_works('create_group_from_src', (None, None))
        self.volume.create_group_from_src(self.context, group, **source)

    def new_group_snapshot(self, status):
        group = self.new_group('available')
        volume = self.new_volume('available', group_id=group.id)
        group_snapshot = utils.create_group_snapshot(
            self.context, group.id, status=status,
            group_type_id=fake.GROUP_TYPE_ID)
        return group_snapshot, self.new_snapshot(
            status, volume, group_snapshot_id=group_snapshot.id)

    def create_group_from_snapshots(self):
        group_snapshot, snapshot = self.new_group_snapshot('available')
        self.create_group({'snapshot_id': snapshot.id},
                          group_snapshot=group_snapshot)

    def create_group_from_group(self):
        source = self.new_group('available')
        volume = self.new_volume('available', group_id=source.id)
        self.create_group({'source_volid': volume.id}, source_group=source)

    def delete_volume(self):
        self.driver_works('delete_volume')
        self.volume.delete_volume(
            self.context, self.make('volume', self.new_volume('deleting')))

    def delete_migration_target(self):
        target = self.make('target', self.new_volume(
            'deleting', migration_status='target:' + fake.VOLUME_ID))
        self.driver_works('delete_volume')
        self.volume.delete_volume(self.context, target)

    def delete_cascade(self):
        volume = self.make('volume', self.new_volume('deleting'))
        self.make('snapshot', self.new_snapshot('deleting', volume))
        self.driver_works('delete_snapshot')
        self.driver_works('delete_volume')
        self.volume.delete_volume(self.context, volume, cascade=True)

    def unmanage_volume(self):
        volume = self.make('volume', self.new_volume('unmanaging'))
        self.driver_works('unmanage')
        self.volume.delete_volume(self.context, volume, unmanage_only=True)

    def delete_snapshot(self):
        snapshot = self.make('snapshot', self.new_snapshot('deleting'))
        self.driver_works('delete_snapshot')
        self.volume.delete_snapshot(self.context, snapshot)

    def unmanage_snapshot(self):
        snapshot = self.make('snapshot', self.new_snapshot('unmanaging'))
        self.driver_works('unmanage_snapshot')
        self.volume.delete_snapshot(self.context, snapshot,
                                    unmanage_only=True)

    def delete_group(self):
        group = self.make('group', self.new_group('deleting'))
        self.make('volume', self.new_volume('deleting', group_id=group.id))
        self.driver_works('delete_group', (None, None))
        self.volume.delete_group(self.context, group)

    def delete_group_snapshot(self):
        group_snapshot, snapshot = self.new_group_snapshot('deleting')
        self.make('group_snapshot', group_snapshot)
        self.make('snapshot', snapshot)
        self.driver_works('delete_group_snapshot', (None, None))
        self.volume.delete_group_snapshot(self.context, group_snapshot)

    def revert(self):
        volume = self.make('volume', self.new_volume('reverting'))
        snapshot = self.make('snapshot', self.new_snapshot('restoring',
                                                           volume))
        self.mock_object(self.volume.driver,
                         'snapshot_revert_use_temp_snapshot',
                         return_value=False)
        self.driver_works('revert_to_snapshot')
        self.volume.revert_to_snapshot(self.context, volume, snapshot)

    def reimage(self):
        self.works(manager.volume_utils, 'copy_image_to_volume')
        self.call_reimage()

    def reimage_from_snapshot(self):
        self.works(self.volume, '_revert_to_snapshot_generic')
        self.call_reimage(image_snap=self.new_snapshot('available'))

    def call_reimage(self, **source):
        volume = self.make('volume', self.attach(self.new_volume(
            'downloading', previous_status='reserved')))
        self.mock_object(self.volume, '_refresh_volume_glance_meta')
        self.mock_object(manager.compute, 'API')
        self.volume.reimage(self.context, volume, {'id': fake.IMAGE_ID},
                            **source)

    def retype(self, status='in-use', policy='never'):
        volume = self.make('volume', self.new_volume(
            'retyping', previous_status=status,
            volume_type_id=self.types['old']))
        if status == 'in-use':
            volume = self.attach(volume)
        reserve = quota_utils.get_volume_type_reservation
        new, old = (reserve(self.context, volume, self.types[name],
                            negative=name == 'old')
                    for name in ('new', 'old'))
        self.driver_works('retype', True)
        self.volume.retype(self.context, volume, self.types['new'], HOST,
                           policy, new, old)

    def retype_on_demand(self):
        self.retype('available', 'on-demand')

    def migrate(self, moved=True):
        volume = self.make('volume', self.new_volume(
            'maintenance', previous_status='available',
            migration_status='starting'))
        self.mock_object(self.volume.driver, 'migrate_volume',
                         return_value=(moved, None))
        self.volume.migrate_volume(self.context, volume, HOST)

    def new_target(self, volume):
        return self.make('target', self.new_volume(
            'available', migration_status='target:' + volume.id))

    def complete(self, status='available', old_status='maintenance'):
        volume = self.make('volume', self.new_volume(
            old_status, previous_status=status, migration_status='migrating'))
        if status == 'in-use':
            volume = self.attach(volume)
        self.volume.migrate_volume_completion(self.context, volume,
                                              self.new_target(volume))

    def complete_in_use(self):
        self.mock_object(self.volume, 'detach_volume')
        self.mock_object(rpcapi.VolumeAPI, 'attach_volume')
        self.complete('in-use', 'retyping')

    def copy(self):
        """Migrate by a copy, where the second lock fails."""

        def create_volume(api, context, volume, *args, **kwargs):
            volume.status = 'available'
            volume.save()
            self.make('target', objects.Volume.get_by_id(context, volume.id))

        first = iter([True])
        acquire = self.lock.acquire.side_effect or mock.Mock()
        self.lock.acquire.side_effect = (
            lambda shared=False: next(first, None) or acquire())
        self.mock_object(rpcapi.VolumeAPI, 'create_volume', create_volume)
        self.mock_object(self.volume, '_copy_volume_data')
        self.migrate(moved=False)
