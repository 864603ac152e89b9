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

"""What the tests of the locks on a real server share."""

from cinder.tests.functional.rwlock import proxy
from cinder.tests.unit.rwlock import base


class ServerTestCase(base.RWLockTestCase):
    """The tests of a class have one server.

    :cvar SERVER: The class of the server, a ``server.Server``.
    """

    SERVER = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.SERVER()
        cls.server.setUp()
        cls.addClassCleanup(cls.server.cleanUp)

    def backend_url(self):
        return self.server.url()

    def through_proxy(self, options=''):
        """Return a proxy and a coordinator that goes through it.

        :param str options: What is added to the coordination URL.
        """
        between = proxy.Proxy(self.server.port)
        self.addCleanup(between.kill)
        coordinator = self.new_coordinator(
            self.server.url(between.port) + options)
        self.addCleanup(between.hear)
        return between, coordinator
