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

"""Which storms are made, and on which clouds."""

import dataclasses

from cloud.deployment import Settings

LATENCY = 0.1
DATA = {'copying': 0, 'rbd': 64, 'nfs': 400}
"""Backend -> MiB that are written to a source; the copying driver does it."""
DRIVERS = {'copying': 'Copying', 'rbd': 'RBD', 'nfs': 'NFS'}
"""Backend -> the class of cloud.storm.driver."""


@dataclasses.dataclass(frozen=True)
class Case:
    """One storm.

    :param backend: a key of DATA
    :param source: 'snapshot' or 'volume'
    :param creates: how many volumes are created at once, as an integer
    """

    backend: str
    source: str
    creates: int

    def __str__(self):
        return f'{self.creates} from one {self.source} on {self.backend}'


def _settings(coordination, threads, latency=LATENCY):
    return Settings(
        coordination, threads, latency,
        options=tuple((backend, 'volume_driver', f'cloud.storm.driver.{name}')
                      for backend, name in DRIVERS.items()))


TWO_HOSTS = _settings('etcd3', False)
FORMS = {
    'short': {TWO_HOSTS: (Case('copying', 'snapshot', 16),
                          Case('rbd', 'snapshot', 4))},
    'usual': {
        TWO_HOSTS: (
            Case('copying', 'snapshot', 16), Case('copying', 'snapshot', 64),
            Case('copying', 'volume', 16), Case('rbd', 'snapshot', 16),
            Case('rbd', 'volume', 16), Case('nfs', 'snapshot', 8)),
        _settings('etcd3', True): (
            Case('copying', 'snapshot', 16), Case('copying', 'snapshot', 64)),
        _settings('file', False): (
            Case('copying', 'snapshot', 16), Case('copying', 'snapshot', 128)),
        _settings('etcd3', False, 0): (Case('rbd', 'snapshot', 16),)},
    'full': {
        _settings(coordination, threads, latency): (
            *(Case(backend, source, creates)
              for backend in (('copying', 'rbd') if latency else ('rbd',))
              for source in ('snapshot', 'volume')
              for creates in (16, 64, 128)),
            *([Case('nfs', 'snapshot', creates) for creates in (8, 16)]
              if latency else ()))
        for coordination in ('etcd3', 'file') for threads in (False, True)
        for latency in (LATENCY, 0)}}
"""Name -> the clouds, and the storms on each."""
