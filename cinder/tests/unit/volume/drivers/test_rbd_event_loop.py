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

"""Other requests go on during a slow call of Ceph."""

import threading
import time
from unittest import mock

import ddt
from eventlet import patcher

from cinder.tests.unit import fake_constants as fake
from cinder.tests.unit import fake_volume
from cinder.tests.unit import test
from cinder.volume import configuration
from cinder.volume.drivers import rbd

PATIENCE = 20


class Image:
    """A source image with one slow call, which waits for another thread.

    :param str slow: The name of that call.
    :ivar called: An event that is set when the call begins.
    :ivar went_on: A list with one boolean a call: whether the other thread
        ran before the call ended.
    """

    def __init__(self, slow):
        self.went_on = []
        self._slow = slow
        # Never eventlet's: Ceph blocks a native thread.
        self.called = patcher.original('threading').Event()
        self._passed = patcher.original('threading').Event()

    def go_on(self):
        """Act as another request, which runs during the call."""
        while not self.called.is_set():
            time.sleep(0.01)
        self._passed.set()

    def _take(self, call):
        if call == self._slow:
            self.called.set()
            self.went_on.append(self._passed.wait(PATIENCE))

    def create_snap(self, name):
        self._take('create_snap')

    def protect_snap(self, name):
        self._take('protect_snap')

    def close(self):
        self._take('close')


@ddt.ddt
class EventLoopTestCase(test.TestCase):

    @ddt.data('create_snap', 'protect_snap', 'close')
    def test_a_clone_of_a_volume_blocks_nobody(self, slow):
        image = Image(slow)
        librbd = mock.MagicMock(**{'Image.return_value': image})
        driver = rbd.RBDDriver(
            configuration=configuration.Configuration(
                [], configuration.SHARED_CONF_GROUP),
            rbd=librbd, rados=mock.MagicMock())
        for name, result in (('_get_config_tuple', ('', '', '', '')),
                             ('_get_clone_depth', 0),
                             ('_setup_volume', None),
                             ('_extend_if_required', None)):
            self.mock_object(driver, name, return_value=result)
        volume, source = (fake_volume.fake_volume_obj(None, id=volume_id)
                          for volume_id in (fake.VOLUME_ID, fake.VOLUME2_ID))
        other = threading.Thread(target=image.go_on)
        self.addCleanup(image.called.set)
        other.start()
        driver.create_cloned_volume(volume, source)
        other.join()

        self.assertEqual([True], image.went_on)
        librbd.RBD.return_value.clone.assert_called_once_with(
            mock.ANY, source.name, volume.name + '.clone_snap', mock.ANY,
            volume.name, features=mock.ANY)
