# SPDX-License-Identifier: Apache-2.0

"""When the drivers were creating volumes, from what they have logged."""

import re

from tools.measure.storm import figures

LINE = 'created %s in the storage from %.3f to %.3f'
"""The volume's id, and two times of the machine's monotonic clock."""
LINES = re.compile(r'created (\S+) in the storage from (\S+) to (\S+)')


def intervals(logs):
    """Return when which volume was created in the storage.

    :param logs: pathlib.Path of the directory of the services' logs
    :returns: dict of its id to (begin, end)
    """
    return {volume: (float(begin), float(end))
            for log in logs.glob('cinder-volume-*.log')
            for volume, begin, end in LINES.findall(
                log.read_text(errors='replace'))}


def most_at_once(volumes, found):
    """Return how many creates the storage did at once, at the most.

    :param volumes: the ids of the volumes of one wave
    :param found: what intervals() has returned
    """
    return figures.most_at_once([found[volume] for volume in volumes
                                 if volume in found])
