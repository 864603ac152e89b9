# SPDX-License-Identifier: Apache-2.0

"""How long operations of a volume service take that meet no other.

Run as ``python -m tools.measure.operations.child NUMBER`` with a Cinder tree
on the module path that has the functional tests of the series. The service is
real, with real locks on files; the methods of its manager are called as by
RPC, so that neither the API nor polling is in the times.
"""

from cinder import monkey_patch

monkey_patch.patch()

import json  # noqa: E402,I100,I202
import statistics
import sys
import time
import unittest

from cinder import context
from cinder import coordination
from cinder.tests.functional import concurrent_base
from cinder.tests.unit import utils


class Operations(concurrent_base.ConcurrentTestCase):
    """Stands where a test stands, so that it gets what a test gets."""

    seconds = {}
    """Operation -> the seconds of each call."""

    def runTest(self):
        self.start_services()
        self.admin = context.get_admin_context()
        self.source = self.new_volume()
        self.create(self.source)
        for _number in range(int(sys.argv[1])):
            volumes = [self.new_volume(),
                       self.new_volume(source_volid=self.source.id)]
            snapshot = utils.create_snapshot(
                self.admin, self.source.id, status='available')
            self.driver.create_snapshot(snapshot)
            volumes.append(self.new_volume(snapshot_id=snapshot.id))
            self.timed(self.create, volumes[0])
            self.timed(self.clone, volumes[1])
            self.timed(self.create_from_snapshot, volumes[2])
            self.timed(self.delete_snapshot, snapshot)
            self.timed(self.delete, volumes[0])
            self.timed(self.lock)

    def new_volume(self, **source):
        return utils.create_volume(
            self.admin, host=self.manager.host + '#copying', size=1,
            status='creating', use_quota=False, **source)

    def timed(self, operation, *args):
        begin = time.perf_counter()
        operation(*args)
        self.seconds.setdefault(operation.__name__, []).append(
            time.perf_counter() - begin)

    def create(self, volume):
        self.manager.create_volume(self.admin, volume)

    def create_from_snapshot(self, volume):
        self.manager.create_volume(
            self.admin, volume,
            request_spec={'snapshot_id': volume.snapshot_id})

    def clone(self, volume):
        self.manager.create_volume(
            self.admin, volume,
            request_spec={'source_volid': volume.source_volid})

    def delete(self, volume):
        self.manager.delete_volume(self.admin, volume)

    def delete_snapshot(self, snapshot):
        self.manager.delete_snapshot(self.admin, snapshot)

    def lock(self):
        with coordination.COORDINATOR.get_lock('uncontended'):
            pass


def main():
    runner = unittest.TextTestRunner(stream=sys.stderr)
    if not runner.run(Operations()).wasSuccessful():
        return 1
    json.dump({'eventlet': monkey_patch.is_patched(),
               'rounds': int(sys.argv[1]),
               'values': {name: statistics.median(seconds) for name, seconds
                          in Operations.seconds.items()}}, sys.stdout)
    return 0


if __name__ == '__main__':
    sys.exit(main())
