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


"""Clones of one RBD volume that come together share a snapshot."""

import collections
import functools
import itertools
import threading

import ddt
from eventlet import patcher

from cinder import exception
from cinder.tests.unit import fake_volume
from cinder.tests.unit import test
from cinder.tests.unit.volume import test_group_commit
from cinder.volume import configuration
from cinder.volume.drivers import rbd

PATIENCE = test_group_commit.PATIENCE
SOURCE = '5a0e8f7e-0000-4000-8000-000000000000'


class Snap:
    """A snapshot of an image.

    :ivar moment: When it was taken, see Ceph.
    """

    def __init__(self, moment):
        self.moment = moment
        self.protected = False


class Ceph:
    """librbd with images in memory, as far as clones need it.

    Snapshots have to be protected, as by the first format of clones, unless
    ``format`` is 2.

    :ivar images: The name of an image -> the names of its snapshots -> Snap.
    :ivar parents: The name of a clone -> its parent and that's snapshot.
    :ivar trash: The names of clones that are in the trash.
    :ivar moment: A function that returns a larger number at each call.
    :ivar calls: How often each call was made.
    :ivar before: The name of a call -> what to call before it, with its
        arguments, in a thread that may block.
    """

    class Error(Exception):
        pass

    class ImageNotFound(Error):
        pass

    class ImageBusy(Error):
        pass

    class ImageExists(Error):
        pass

    class InvalidArgument(Error):
        pass

    class ImageHasSnapshots(Error):
        pass

    RBD_FEATURE_LAYERING = RBD_FEATURE_EXCLUSIVE_LOCK = 1
    RBD_FEATURE_OBJECT_MAP = RBD_FEATURE_FAST_DIFF = 1
    RBD_FEATURE_JOURNALING = 1

    def __init__(self):
        self.format = 1
        self.images = {}
        self.parents = {}
        self.trash = set()
        self.moment = functools.partial(next, itertools.count())
        self.calls = collections.Counter()
        self.before = {}

    def called(self, call, *args):
        self.calls[call] += 1
        self.before.get(call, lambda *args: None)(*args)

    def children(self, image, snap):
        return sorted(child for child, parent in self.parents.items()
                      if parent == (image, snap))

    def Image(self, ioctx, name, snapshot=None, read_only=False):
        if name not in self.images:
            raise self.ImageNotFound(name)
        self.called('open', name)
        return Image(self, name)

    def RBD(self):
        return self

    def clone(self, ioctx, image, snap, to_ioctx, name, features):
        self.called('clone', image, snap, name)
        if snap not in self.images[image]:
            raise self.ImageNotFound(snap)
        if self.format == 1 and not self.images[image][snap].protected:
            raise self.InvalidArgument(snap)
        if name in self.images:
            raise self.ImageExists(name)
        self.images[name] = {}
        self.parents[name] = (image, snap)

    def remove(self, ioctx, name):
        if name not in self.images:
            raise self.ImageNotFound(name)
        if self.images[name]:
            raise self.ImageHasSnapshots(name)
        del self.images[name]
        self.parents.pop(name, None)


class Image:

    def __init__(self, ceph, name):
        self._ceph = ceph
        self._name = name
        self._snap = None

    def _find(self, snap):
        snaps = self._ceph.images[self._name]
        if snap not in snaps:
            raise self._ceph.ImageNotFound(snap)
        return snaps[snap]

    def create_snap(self, name):
        moment = self._ceph.moment()
        self._ceph.called('create_snap', name)
        if name in self._ceph.images[self._name]:
            raise self._ceph.ImageExists(name)
        self._ceph.images[self._name][name] = Snap(moment)

    def protect_snap(self, name):
        self._find(name).protected = True

    def unprotect_snap(self, name):
        if not self._find(name).protected:
            raise self._ceph.InvalidArgument(name)
        if (self._ceph.format == 1 and
                self._ceph.children(self._name, name)):
            raise self._ceph.ImageBusy(name)
        self._find(name).protected = False

    def remove_snap(self, name):
        if self._find(name).protected:
            raise self._ceph.ImageBusy(name)
        del self._ceph.images[self._name][name]

    def set_snap(self, name):
        if name is not None:
            self._find(name)
        self._snap = name

    def list_children(self):
        return [('volumes', child)
                for child in self._ceph.children(self._name, self._snap)
                if child not in self._ceph.trash]

    def list_snaps(self):
        return [{'name': name} for name in self._ceph.images[self._name]]

    def parent_info(self):
        if self._name not in self._ceph.parents:
            raise self._ceph.ImageNotFound(self._name)
        return ('volumes', *self._ceph.parents[self._name])

    def flatten(self):
        self._ceph.called('flatten', self._name)
        del self._ceph.parents[self._name]

    def close(self):
        self._ceph.called('close')


@ddt.ddt
class SharedSnapshotsTestCase(test.TestCase):

    def setUp(self):
        super().setUp()
        self.override_config('rbd_max_clone_depth', 5,
                             group=configuration.SHARED_CONF_GROUP)
        self.ceph = Ceph()
        self.driver = self.make_driver()
        self.source = fake_volume.fake_volume_obj(None, id=SOURCE, size=1)
        self.ceph.images[self.source.name] = {}
        self.outcomes = {}
        self.moments = {}
        self.threads = []
        # Never eventlet's: Ceph blocks a native thread.
        self.may_snap = patcher.original('threading').Event()
        self.addCleanup(self.may_snap.set)

    def make_driver(self):
        driver = rbd.RBDDriver(
            configuration=configuration.Configuration(
                rbd.RBD_OPTS, configuration.SHARED_CONF_GROUP),
            rbd=self.ceph, rados=self.mock_object(rbd, 'rados'))
        for name, result in (('_connect_to_rados', (self.RADOS(), object())),
                             ('_disconnect_from_rados', None),
                             ('_setup_volume', None)):
            self.mock_object(driver, name, return_value=result)
        return driver

    class RADOS:

        def conf_get(self, name):
            return '1'

    def clone(self, number, driver=None):
        """Clone the source in a thread.

        :returns: The name of the clone.
        """
        volume = fake_volume.fake_volume_obj(
            None, id=SOURCE[:-2] + '%02d' % number, size=1, use_quota=True)

        def run():
            begun = self.ceph.moment()
            try:
                (driver or self.driver).create_cloned_volume(volume,
                                                             self.source)
                self.outcomes[volume.name] = 'cloned'
            except Exception as error:
                self.outcomes[volume.name] = error
            self.moments[volume.name] = (begun, self.ceph.moment())

        self.threads.append(threading.Thread(target=run))
        self.threads[-1].start()
        return volume.name

    def begin(self, clones, driver=None):
        """Start clones: the first takes a snapshot, the others wait.

        :param int clones: How many.
        :returns: Their names, that of the first at first.
        """
        self.ceph.before['create_snap'] = self._snap
        first = self.clone(1, driver)
        test_group_commit.wait_for(lambda: self.ceph.calls['create_snap'] == 1)
        others = [self.clone(number, driver)
                  for number in range(2, clones + 1)]
        group = (driver or self.driver)._clone_snaps
        test_group_commit.wait_for(
            lambda: clones == 1 or
            group._latest[self.source.name].users >= clones - 1)
        return [first] + others

    def _snap(self, name):
        if not self.may_snap.wait(PATIENCE):
            raise AssertionError('Nobody let Ceph go on')

    def finish(self):
        self.may_snap.set()
        for thread in self.threads:
            thread.join(PATIENCE)

    def snaps(self):
        return self.ceph.images[self.source.name]

    def shared_snaps(self):
        return [name for name in self.snaps()
                if name.endswith(rbd.SHARED_SNAP_SUFFIX)]

    def all_cloned(self, names):
        self.assertEqual(dict.fromkeys(names, 'cloned'), self.outcomes)

    def test_clones_that_come_together_share_a_snapshot(self):
        names = self.begin(8)
        self.finish()

        self.all_cloned(names)
        self.assertEqual(2, len(self.snaps()))
        self.assertEqual(self.ceph.calls['open'], self.ceph.calls['close'])
        [shared] = self.shared_snaps()
        self.assertEqual(names[1:],
                         self.ceph.children(self.source.name, shared))
        # That of the first is named as ever, and the shared one as none.
        self.assertEqual([names[0]], self.ceph.children(
            self.source.name, names[0] + '.clone_snap'))

    def test_each_has_the_data_of_a_moment_since_its_request(self):
        names = self.begin(8)
        self.finish()

        for name in names:
            begun, ended = self.moments[name]
            taken = self.snaps()[self.ceph.parents[name][1]].moment
            self.assertTrue(begun < taken < ended,
                            '%s: %d < %d < %d' % (name, begun, taken, ended))

    def test_each_host_groups_its_own(self):
        one, two = self.driver, self.make_driver()
        self.ceph.before['create_snap'] = self._snap
        names = [self.clone(1, one), self.clone(2, two)]
        test_group_commit.wait_for(lambda: self.ceph.calls['create_snap'] == 2)
        self.finish()

        self.all_cloned(names)
        self.assertEqual([], self.shared_snaps())

    def test_who_fails_to_take_it_fails_alone(self):
        names = self.begin(8)

        def fail_once(name):
            if self.ceph.calls['create_snap'] == 2:
                raise self.ceph.Error('no snapshot')

        self.ceph.before['create_snap'] = fail_once
        self.finish()

        failed = [name for name in names if self.outcomes[name] != 'cloned']
        self.assertEqual(1, len(failed))
        self.assertIsInstance(self.outcomes[failed[0]],
                              exception.VolumeBackendAPIException)
        self.assertEqual(set(names) - set(failed), set(self.ceph.parents))

    def test_a_snapshot_that_cannot_be_protected_is_removed(self):
        self.mock_object(Image, 'protect_snap',
                         side_effect=self.ceph.Error('not protected'))
        [name] = self.begin(1)
        self.finish()

        self.assertIsInstance(self.outcomes[name],
                              exception.VolumeBackendAPIException)
        self.assertEqual({}, self.snaps())

    @ddt.data('vanishes', 'fails')
    def test_a_clone_is_tried_again_if_the_shared_snapshot(self, how):
        """Another host may have deleted the only clone that there was."""
        names = self.begin(3)

        def clone(image, snap, name):
            if name != names[2] or not snap.endswith(rbd.SHARED_SNAP_SUFFIX):
                return
            if how == 'fails':
                raise self.ceph.Error('no clone')
            for child in self.ceph.children(image, snap):
                del self.ceph.parents[child]
            del self.snaps()[snap]

        self.ceph.before['clone'] = clone
        self.finish()

        self.all_cloned(names)
        self.assertEqual((self.source.name, names[2] + '.clone_snap'),
                         self.ceph.parents[names[2]])

    def test_a_clone_that_fails_with_its_own_is_not(self):
        def fail(*args):
            raise self.ceph.Error('no clone')

        self.ceph.before['clone'] = fail
        [name] = self.begin(1)
        self.finish()

        self.assertEqual(1, self.ceph.calls['clone'])
        self.assertIsInstance(self.outcomes[name],
                              exception.VolumeBackendAPIException)
        self.assertEqual({}, self.snaps())

    def test_it_outlasts_those_that_flatten(self):
        self.override_config('rbd_max_clone_depth', 1,
                             group=configuration.SHARED_CONF_GROUP)
        self.driver = self.make_driver()
        self.ceph.images['grandparent'] = {}
        self.ceph.parents[self.source.name] = (
            'grandparent', self.source.name + '.clone_snap')
        flattened = patcher.original('threading').Event()
        self.addCleanup(flattened.set)
        names = self.begin(3)

        def clone(image, snap, name):
            if name == names[2]:
                flattened.wait(PATIENCE)

        self.ceph.before['clone'] = clone
        self.may_snap.set()
        test_group_commit.wait_for(
            lambda: self.outcomes.get(names[1]) == 'cloned')
        self.assertEqual(1, len(self.shared_snaps()))
        flattened.set()
        self.finish()

        self.all_cloned(names)
        self.assertEqual(3, self.ceph.calls['flatten'])
        self.assertEqual(3, self.ceph.calls['clone'])
        self.assertEqual({}, self.snaps())

    @ddt.data(1, 2)
    def test_it_outlasts_a_clone_that_cannot_be_replicated(self, format):
        self.ceph.format = format
        names = self.begin(3)

        def set_up(volume):
            if volume.name == names[1]:
                test_group_commit.wait_for(lambda: names[2] in self.outcomes)
                raise self.ceph.Error('no replication')

        self.mock_object(self.driver, '_setup_volume', side_effect=set_up)
        self.finish()

        self.assertIsInstance(self.outcomes[names[1]],
                              exception.ReplicationError)
        self.assertNotIn(names[1], self.ceph.images)
        [shared] = self.shared_snaps()
        self.assertEqual([names[2]],
                         self.ceph.children(self.source.name, shared))

    def test_its_clones_count_as_such(self):
        names = self.begin(3)
        self.finish()

        self.assertEqual([1, 1, 1], [
            self.driver._get_clone_depth(rbd.RADOSClient(self.driver), name)
            for name in names])

    def remove(self, name):
        """Remove a clone as a deletion does which finds it busy."""
        snap = self.ceph.parents[name][1]
        client = rbd.RADOSClient(self.driver)
        self.ceph.remove(None, name)
        self.driver._delete_clone_parent_refs(
            client, self.source.name + '.deleted', snap)

    @ddt.data(1, 2)
    def test_it_is_removed_with_its_last_clone(self, format):
        self.ceph.format = format
        names = self.begin(3)
        self.finish()
        self.delete_source()
        self.remove(names[0])
        self.remove(names[1])
        self.assertEqual(1, len(self.ceph.images[self.source.name +
                                                 '.deleted']))
        self.remove(names[2])

        self.assertEqual({}, self.ceph.images)

    def delete_source(self):
        old, new = self.source.name, self.source.name + '.deleted'
        self.ceph.images[new] = self.ceph.images.pop(old)
        for child, (parent, snap) in self.ceph.parents.items():
            self.ceph.parents[child] = (new, snap)

    def test_a_clone_in_the_trash_needs_it(self):
        names = self.begin(3)
        self.finish()
        self.delete_source()
        self.ceph.trash.add(names[2])
        self.remove(names[1])

        self.assertEqual(2, len(self.ceph.images[self.source.name +
                                                 '.deleted']))

    def test_clones_that_are_deleted_together_remove_it_once(self):
        self.begin(1)
        self.finish()
        image = self.driver.rbd.Image(None, self.source.name)
        [snap] = self.snaps()
        self.snaps()[snap].protected = False

        self.ceph.parents.clear()
        self.assertTrue(self.driver._remove_clone_snap(image, snap))
        self.assertFalse(self.driver._remove_clone_snap(image, snap))
