# SPDX-License-Identifier: Apache-2.0

"""A block storage API and results that are made up."""

import itertools
import threading

from tools.cloud.layout import Settings
from tools.cloud.storm import cases
from tools.cloud.storm import results
from tools.cloud.storm import traffic

CASE = cases.Case('copying', 'snapshot', 4)


def result(tree='patched', ideal=2, storm=2, errors=0, wrong=0):
    """Return a results.Result of CASE.

    :param tree: 'upstream' or 'patched'
    :param ideal: the seconds of the ideal
    :param storm: those of the storm
    :param errors: how many creates of the storm ended in error
    :param wrong: how many of its volumes differ from their source
    """
    delays = {'delete': 0.1, 'extend': 0.1, 'create': 0.1}

    def outcome(errors, seconds, wrong):
        volumes = {f'id-{number}': 'source' for number in range(4 - errors)}
        wave = traffic.Wave(volumes, errors, seconds, 3, delays)
        return results.Outcome(wave, wrong, 2, {'cinder-api': 1.5})
    return results.Result(Settings(), CASE, tree, outcome(0, ideal, 0),
                          outcome(errors, storm, wrong))


class Volume:
    def __init__(self, number, status='creating'):
        self.id = f'volume-{number}'
        self.status = status


class BlockStorage:
    """An API whose creates from a source all end when all have begun.

    :param creates: how many creates from a source it waits for
    :param status: the status in which they end
    :param deleted: the status in which a delete ends; None for gone
    """

    def __init__(self, creates, status='available', deleted=None):
        self._creates = creates
        self._status = status
        self._deleted = deleted
        self._mutex = threading.Lock()
        self._found = {}
        self._began = 0
        self._numbers = itertools.count()
        self.asked = []
        self.slow = []

    def create_volume(self, size, volume_type, **source):
        with self._mutex:
            volume = Volume(next(self._numbers))
            self._found[volume.id] = volume
            if not source:
                volume.status = 'available'
                return volume
            self._began += 1
            if self._began == self._creates:
                for found in self._found.values():
                    if found.status == 'creating':
                        found.status = self._status
        return volume

    def volumes(self, details, status=None):
        with self._mutex:
            self.asked.append(status)
            listed = [found for found in self._found.values()
                      if status in (None, found.status)]
            for finish in self.slow:
                finish()
            self.slow = []
            return listed

    def extend_volume(self, volume, size):
        self._found[volume].status = 'extending'
        self.slow.append(lambda: setattr(self._found[volume], 'status',
                                         'available'))

    def delete_volume(self, volume):
        self._found[volume].status = 'deleting'

        def finish():
            self._found[volume].status = self._deleted
            if not self._deleted:
                del self._found[volume]
        self.slow.append(finish)
