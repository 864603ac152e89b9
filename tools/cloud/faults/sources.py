# SPDX-License-Identifier: Apache-2.0

"""The sources that a fault's traffic copies and deletes."""

from concurrent import futures

from tools.cloud.faults import records
from tools.cloud.faults.traffic import CLIENTS


def make(client, contents, base, fault, number):
    """Make sources, volumes and snapshots by turns.

    :param client: tools.cloud.faults.client.Client
    :param contents: tools.cloud.contents.Copying
    :param base: UUID of the volume of which snapshots are made
    :param fault: name of the fault
    :param number: how many, as an integer
    :returns: list of tools.cloud.faults.records.Source
    :raises ToolError: if one cannot be made
    """
    def new(kind):
        name = f'{fault}: source'
        return (client.new_volume(name) if kind == 'volume' else
                client.new_snapshot(name, base))

    kinds = [('volume', 'snapshot')[place % 2] for place in range(number)]
    with futures.ThreadPoolExecutor(CLIENTS) as pool:
        made = list(pool.map(new, kinds))
    client.wait(made, 'available')
    return [records.Source(fault, source, kind, contents.checksum(source))
            for kind, source in zip(kinds, made)]
