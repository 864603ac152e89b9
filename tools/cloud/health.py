# SPDX-License-Identifier: Apache-2.0

"""Does the cloud work? Tries every backend."""

from tools.cloud.services.cinder import BACKENDS
from tools.cloud import statuses
from tools.common.errors import ToolError
from tools.common import progress

PATIENCE = 120


def check(site, deployment, volumes):
    """Use every backend: a volume, its snapshot, a volume from that.

    :param site: the tools.cloud.site.Site
    :param deployment: the tools.cloud.deployment.Deployment, which runs
    :param volumes: the block storage API of openstacksdk
    :raises ToolError: if anything does not work, or if a password is in a
        log
    """
    def wait(listing, ids, wanted):
        def look():
            deployment.check()
            return {found.id: found.status for found in listing()}
        statuses.for_all(ids, wanted, look, PATIENCE)

    down = [f'{found.binary} on {found.host}'
            for found in volumes.services() if found.state != 'up']
    if down:
        raise ToolError(f'expected all services up, found down: '
                        f'{", ".join(down)}')
    progress.say(f'creating a volume on each of {", ".join(BACKENDS)}')
    sources = [volumes.create_volume(size=1, volume_type=backend).id
               for backend in BACKENDS]
    wait(volumes.volumes, sources, 'available')
    progress.say('creating their snapshots')
    snapshots = [volumes.create_snapshot(volume_id=source).id
                 for source in sources]
    wait(volumes.snapshots, snapshots, 'available')
    progress.say('creating volumes from these')
    copies = [volumes.create_volume(size=1, snapshot_id=snapshot).id
              for snapshot in snapshots]
    wait(volumes.volumes, copies, 'available')
    progress.say('deleting all')
    for delete, listing, ids in (
            (volumes.delete_volume, volumes.volumes, copies),
            (volumes.delete_snapshot, volumes.snapshots, snapshots),
            (volumes.delete_volume, volumes.volumes, sources)):
        for found in ids:
            delete(found)
        wait(listing, ids, statuses.GONE)
    leaks = site.leaks()
    if leaks:
        raise ToolError('found the password of {1} in the log {0}'.format(
            *leaks[0]))
