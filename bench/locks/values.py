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

"""Find the figures of a backend among the lines of all."""

from bench.locks.backends import BACKENDS


class Values:
    """The lines of all measures of all backends.

    :param lines: list of bench.verdict.Line
    """

    def __init__(self, lines):
        self._lines = {(line.measure.partition('.')[0], line.key): line
                       for line in lines}

    def backends(self):
        """Return the names and Backends that were measured."""
        measured = {name for name, _key in self._lines}
        return [(name, backend) for name, backend in BACKENDS.items()
                if name in measured]

    def line(self, name, key):
        """Return the line of a figure, None if it was not measured."""
        return self._lines.get((name, key))
