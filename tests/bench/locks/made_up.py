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

"""Results of measures of the locks that nobody took."""

from bench.locks import backends
from bench import verdict


def lines(told=None, names=tuple(backends.BACKENDS)):
    """Return the lines of a run in which every goal is met but what is told.

    :param told: (mode, backend, key) -> value
    """
    def run(mode, measure):
        return result(mode, measure, told)

    return [line for name in names
            for line in verdict.measure_all(run, backends.measures(name))]


def result(mode, measure, told=None):
    """Return the result of one measure."""
    name = measure.partition('.')[0]
    values = {key: (told or {}).get((mode, name, key), figure.bound or 1)
              for key, figure in backends.measures(name)[measure].items()}
    return {'rounds': dict.fromkeys(values, 7), 'values': values}
