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

"""Cinder's services in a process of their own, as on another host.

The arguments are the coordination URL and the directory of a test, with which
the process shares database and storage. A test talks to the process by
:mod:`cinder.tests.line_process`.
"""

import os
import sys
import unittest

# Standard output is for the answers.
os.environ.pop('OS_STDOUT_CAPTURE', None)

from cinder.tests.functional import concurrent_base  # noqa: E402
from cinder.tests import line_process  # noqa: E402


class ServiceProcess(concurrent_base.ConcurrentTestCase):
    """Serves requests, with the set-up of a test, until its input ends."""

    CLUSTER = 'cluster'

    def coordination_url(self):
        return sys.argv[1]

    def shared_directory(self):
        return sys.argv[2]

    def runTest(self):
        self.override_config('host', 'another-host')
        self.start_services()
        line_process.serve(self)

    def make_source(self, kind):
        """Make a source and return the name of its lock."""
        self.source = concurrent_base.Source(self, kind)
        return self.source.lock_name

    def hold_create(self):
        """Send a create from the source and hold it in the driver."""
        self.statuses = self.record_statuses()
        self.creates = self.gate('create_from_source')
        self.volume = self.create_volume(**self.source.request)
        self.eventually(lambda: self.creates.arrived,
                        'The create does not run')

    def end_create(self):
        """Let the create go on.

        :returns: The statuses that the volume had, and its user messages.
        """
        self.creates.open()
        self.eventually(lambda: self.status(self.volume) != 'creating',
                        'The create does not end')
        return self.statuses[self.volume], self.user_messages(self.volume)

    def count_on_locks(self):
        """Let deletes wait for creates that hold their lock, and no others."""
        self.patch('cinder.volume.source_locks.LONGEST_WAIT_FOR_CREATES', 0,
                   create=True)

    def delete_source(self, kind, source_id):
        """Send the delete of a source that another host has made."""
        concurrent_base.Source(self, kind, source_id).delete()

    def hold_delete(self, kind, source_id):
        """Send the delete of a source and hold it in the driver."""
        self.deletes = self.gate('delete_' + kind)
        self.delete_source(kind, source_id)
        self.eventually(lambda: self.deletes.arrived,
                        'The delete does not run')

    def end_delete(self):
        """Let the delete go on."""
        self.deletes.open()


if __name__ == '__main__':
    unittest.TextTestRunner().run(ServiceProcess())
