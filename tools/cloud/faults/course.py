# SPDX-License-Identifier: Apache-2.0

"""The course of a run: a storm around each fault, and what is left of it."""

from tools.cloud.faults import client
from tools.cloud.faults import end
from tools.cloud.faults import journal
from tools.cloud.faults import kinds
from tools.cloud.faults import records
from tools.cloud.faults import storm

OPTIONS = (('copying', 'volume_driver',
            'tools.cloud.faults.driver.JournalingDriver'),)
"""What cinder.conf needs for it."""


def follow(faults, run, rng, size, site, cloud, cinder, server):
    """Run all storms, restart the volume services, and note what is left.

    What the storage did is noted in any case.

    :param faults: list of tools.cloud.faults.kinds.Kind
    :param run: the tools.cloud.faults.records.Run to write all to
    :param rng: a random.Random
    :param size: how many sources a storm has, and how many creates each
    :param site: the tools.cloud.site.Site
    :param cloud: the tools.cloud.cloud.Cloud, which runs
    :param cinder: the tools.cloud.services.cinder.Cinder in it
    :param server: the service that has the locks
    :raises ToolError: if the cloud does not work
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
