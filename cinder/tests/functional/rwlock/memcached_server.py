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

"""A memcached server for the tests of read and write locks."""

import subprocess

from cinder.tests.functional.rwlock import server


class MemcachedServer(server.Server):
    """A memcached server, which forgets all in a restart.

    It refuses to run as root unless it is told which user to become, which
    pifpaf's driver does not.
    """

    NAME = 'memcached'
    PROGRAMS = {'memcached': 'memcached'}

    def _setUp(self):
        process = subprocess.Popen(
            [self.paths['memcached'], '-u', 'nobody', '-l', '127.0.0.1',
             '-p', str(self.port)],
            stdin=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(self.kill)
        self.wait_until_ready()

    def url(self, port=None):
        return 'memcached://127.0.0.1:%d?timeout=1&lock_timeout=3' % (
            port or self.port)
