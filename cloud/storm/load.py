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

"""Who had the processor's time: what a storm waits for beside its source."""

import contextlib

import psutil

from cloud import service


def seconds(cloud):
    """Return the processor's seconds that each service has had so far.

    :param cloud: the cloud.cloud.Cloud
    :returns: dict of its name to seconds
    """
    return {found.name: sum(map(_of_process, found.processes()))
            for found in _commands(cloud.services)}


def _commands(services):
    for found in services:
        if isinstance(found, service.Command):
            yield found
        yield from getattr(found, 'members', ())


def _of_process(process):
    with contextlib.suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return times.user + times.system
    return 0


def since(before, cloud):
    """Return what seconds() has grown by, the greatest first.

    :param before: what seconds() has returned
    :param cloud: the cloud.cloud.Cloud
    :returns: dict of name to seconds, without those below 0.1
    """
    grown = {name: now - before.get(name, 0)
             for name, now in seconds(cloud).items()}
    return {name: round(spent, 1) for name, spent in sorted(
        grown.items(), key=lambda item: -item[1]) if spent >= 0.1}
