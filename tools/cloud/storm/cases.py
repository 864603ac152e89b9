# SPDX-License-Identifier: Apache-2.0

"""Which storms are run, and on which clouds."""

import dataclasses

from tools.cloud.layout import Settings

LATENCY = 0.1
DRIVERS = {'copying': 'Copying', 'rbd': 'RBD', 'nfs': 'NFS'}
"""Backend -> the class of tools.cloud.storm.driver."""


@dataclasses.dataclass(frozen=True)
class Case:
    """One storm.

    :param backend: a key of DRIVERS
    :param source: 'snapshot' or 'volume'
    :param creates: how many volumes are created at once, as an integer
    :param mebibytes: how much data is written to each source, as an integer;
        the copying driver writes its own
    :param serial: whether the storage creates volumes from one source one
        after the other, so that a storm cannot be as fast as its ideal
    """

    backend: str
    source: str
    creates: int
    mebibytes: int = 0
    serial: bool = False

    def __str__(self):
        return f'{self.creates} from one {self.source} on {self.backend}'


def _settings(coordination, threads, latency=LATENCY):
    drivers = ((backend, 'volume_driver', f'tools.cloud.storm.driver.{name}')
               for backend, name in DRIVERS.items())
    # Cinder goes on counting the volumes that a storm has dropped.
    room = ('rbd', 'max_over_subscription_ratio', '1000')
    return Settings(coordination, threads, latency, (*drivers, room))


def _storms(backend, snapshot=(), volume=(), mebibytes=0):
    return tuple(Case(backend, source, creates, mebibytes)
                 for source, numbers in (('snapshot', snapshot),
                                         ('volume', volume))
                 for creates in numbers)


ETCD = _settings('etcd3', threads=False)
ETCD_THREADS = _settings('etcd3', threads=True)
FILE = _settings('file', threads=False)
FILE_THREADS = _settings('file', threads=True)
CLONES = _settings('etcd3', threads=False, latency=0)
FORMS = {
    'short': {ETCD: (*_storms('copying', [16]),
                     *_storms('rbd', [4], mebibytes=64))},
    'usual': {
        ETCD: (*_storms('copying', [16, 64], [16]),
               *_storms('rbd', [16], [16], mebibytes=64),
               *_storms('nfs', [8], mebibytes=400)),
        ETCD_THREADS: _storms('copying', [16, 64]),
        FILE: _storms('copying', [16, 128]),
        CLONES: _storms('rbd', [16], mebibytes=64)},
    'long': {
        FILE_THREADS: _storms('copying', [16, 64, 128], [16, 64, 128]),
        FILE: _storms('copying', [64], [16, 64, 128]),
        ETCD_THREADS: (*_storms('copying', [128], [16, 64, 128]),
                       *_storms('rbd', [16, 64], [64], mebibytes=16)),
        # Ceph makes the snapshots of one image one after the other.
        CLONES: (*_storms('rbd', [64], mebibytes=16),
                 Case('rbd', 'volume', 64, 16, serial=True)),
        ETCD: (*_storms('copying', [128], [64, 128]),
               *_storms('rbd', [64, 128], [64, 128], mebibytes=16))}}
"""Form -> its clouds, and the storms on each; the long form has what the usual
one leaves out."""
