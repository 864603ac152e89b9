#
# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

import tempfile

from tooz import coordination

coordinator = coordination.get_coordinator(
    f'file://{tempfile.mkdtemp()}', b'host-1'
)
coordinator.start(start_heart=True)

if (
    coordination.Characteristics.SHARED_LOCKS
    not in coordinator.CHARACTERISTICS
):
    raise SystemExit("The locks of this driver cannot be shared")

# Any number of readers hold the lock together
reader = coordinator.get_lock(b'report')
reader.purpose = 'read the report'
another_reader = coordinator.get_lock(b'report')
another_reader.purpose = 'send the report'

with reader(shared=True), another_reader(shared=True):
    # A writer has to wait for them
    writer = coordinator.get_lock(b'report')
    writer.purpose = 'rewrite the report'
    print("Writer gets the lock:", writer.acquire(blocking=False))

    for owner in writer.owners():
        print("The lock is held by", owner.process, "to", owner.purpose)

# A lock without "shared" is held alone
with writer:
    print("Reader gets the lock:", reader.acquire(blocking=False, shared=True))

coordinator.stop()
