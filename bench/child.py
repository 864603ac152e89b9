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

"""One measure in one concurrency mode, in a process of its own.

Run as ``python -m bench.child MEASURE`` by bench.process. The standard output
is one JSON object: ``eventlet``, whether the mode is eventlet, ``rounds``, the
number of rounds, and ``values``, a value for each key of the measure.
"""

from bench import patched

import importlib  # noqa: I100,I202
import json
import sys
import tempfile

from bench.errors import BenchError


def main(name):
    """Measure, print the result, and return the exit status.

    :param name: a key of bench.figures.MEASURES
    """
    module = importlib.import_module('bench.' + name)
    with tempfile.TemporaryDirectory(prefix='bench-') as directory:
        try:
            values = module.measure(patched.backend(directory), directory)
        except BenchError as error:
            print(error, file=sys.stderr)
            return 1
    json.dump({'eventlet': patched.is_eventlet(), 'rounds': module.ROUNDS,
               'values': values}, sys.stdout)
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
