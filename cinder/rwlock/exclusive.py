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

"""Exclusive locks in the place of read and write locks.

For every coordination backend without shared locks of its own. A read lock
and a write lock are the same thing here: tooz's exclusive lock of the name.
What a writer is promised holds; readers wait for each other.
"""


class Backend:
    """Locks of one coordinator, all of them exclusive.

    :param str url: The coordination URL, not looked at.
    :param coordinator: The started tooz coordinator.
    """

    def __init__(self, url, coordinator):
        self.read_lock = self.write_lock = coordinator.get_lock
