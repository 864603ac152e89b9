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

"""The course of a run: a storm around each fault, and what is left of it."""

from cloud.faults import client
from cloud.faults import end
from cloud.faults import journal
from cloud.faults import kinds
from cloud.faults import records
from cloud.faults import storm

OPTIONS = (('copying', 'volume_driver',
            'cloud.faults.driver.JournalingDriver'),)
"""What cinder.conf needs for it."""


def follow(faults, run, rng, size, site, cloud, cinder, server):
    """Run all storms, restart the volume services, and note what is left.

    What the storage did is noted in any case.

    :param faults: list of cloud.faults.kinds.Kind
    :param run: the cloud.faults.records.Run to write all to
    :param rng: a random.Random
    :param size: how many sources a storm has, and how many creates each
    :param site: the cloud.site.Site
    :param cloud: the cloud.cloud.Cloud, which runs
    :param cinder: the cloud.cinder.Cinder in it
    :param server: the service that has the locks
    :raises CloudError: if the cloud does not work
    """
    storage = site.folder('storage', 'copying')
    path = storage / journal.NAME
    api = client.Client(cinder.volumes)
    storms = storm.Storms(api, storage, rng, run, size)
    target = kinds.Target(cloud, server, path)
    try:
        storms.prepare()
        for fault in faults:
            storms.blow(fault, target)
            end.note_locks(server, run.faults[-1])
            storms.probe(fault.name)
        end.restart(cloud, server, run)
        end.note_statuses(api, run)
        end.note_checksums(storms, run)
        end.note_locks(server, run)
        run.finished = True
    finally:
        run.calls = records.calls(journal.read(path))
