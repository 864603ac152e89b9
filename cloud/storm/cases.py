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


def _settings(coordination, threads):
    return Settings(coordination, threads, LATENCY)


EVENTLET = _settings('etcd3', False)
FORMS = {
    'short': {EVENTLET: (Case('copying', 'snapshot', 16),
                         Case('rbd', 'snapshot', 8))},
    'usual': {
        EVENTLET: (
            *(Case('copying', 'snapshot', creates)
              for creates in (16, 64, 128)),
            Case('copying', 'volume', 16), Case('rbd', 'snapshot', 16),
            Case('nfs', 'snapshot', 8)),
        **{_settings(coordination, threads): (
            Case('copying', 'snapshot', 16),)
           for coordination, threads in (
               ('etcd3', True), ('file', False), ('file', True))}},
    'full': {
        _settings(coordination, threads): (
            *(Case('copying', source, creates)
              for source in ('snapshot', 'volume')
              for creates in (16, 64, 128)),
            *(Case('rbd', 'snapshot', creates) for creates in (16, 64, 128)),
            Case('nfs', 'snapshot', 8))
        for coordination in ('etcd3', 'file') for threads in (False, True)}}
"""Name -> the clouds, and the storms on each."""
