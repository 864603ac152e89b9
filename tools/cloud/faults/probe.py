# SPDX-License-Identifier: Apache-2.0

"""Does the cloud work after a fault?"""

import time

from tools.cloud.faults import failpoints
from tools.cloud.faults import records
from tools.cloud import journal
from tools.cloud.services import cinder
from tools.cloud import statuses
from tools.common.errors import ToolError
from tools.common import progress
from tools.common.waiting import wait_for

PATIENCE = 120


def probe(client, contents, path, fault):
    """Create volumes from a new volume on each host, then delete all.

    :param client: tools.cloud.faults.client.Client
    :param contents: tools.cloud.contents.Copying
    :param path: pathlib.Path of the tools.cloud.journal
    :param fault: name of the fault that came before
    :returns: a tools.cloud.faults.records.Probe
    """
    begin = time.monotonic()
    name = f'{fault}: later'
    copies = []

    def copy(source):
        # The hosts take requests from their queue by turns.
        copies.append(client.new_volume(
            name, **{cinder.SOURCE_FIELDS['volume']: source}))
        client.wait(copies[-1:], 'available')
        if contents.checksum(copies[-1]) != contents.checksum(source):
            raise ToolError(f'volume {copies[-1]} is not a copy of {source}')
        idle = set(failpoints.HOSTS) - {
            call.host.partition('@')[0] for call in journal.read(path)
            if call.resource_id in copies}
        if idle:
            raise ValueError(f'none by {", ".join(sorted(idle))}')

    problem = None
    try:
        source = client.new_volume(name)
        client.wait([source], 'available')
        wait_for('each host to create a volume', lambda: copy(source),
                 PATIENCE)
        for volume in (*copies, source):
            client.insist(client.volumes.delete_volume, volume)
        client.wait([*copies, source], statuses.GONE)
    except ToolError as error:
        problem = str(error)
    progress.say(f'{fault}: a later create and delete '
                 + ('work' if problem is None else 'do not work'))
    return records.Probe(fault, begin, time.monotonic(), problem)
