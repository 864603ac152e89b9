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

"""One measure of one backend in one concurrency mode.

Run as ``python -m bench.locks.child MEASURE URL`` by bench.process, with the
standard output of bench.child.
"""

from bench import patched

import importlib  # noqa: I100,I202
import json
import sys

from bench.errors import BenchError
from bench.locks.backends import BACKENDS


def main(name, url):
    """Measure, print the result, and return the exit status.

    :param name: a key of what bench.locks.backends.measures() returns
    :param url: the coordination URL of the backend's server
    """
    backend, _, measure = name.partition('.')
    module = importlib.import_module('bench.locks.' + measure)
    coordinator = patched.coordinator(url)
    try:
        values = module.measure(BACKENDS[backend], url, coordinator)
    except BenchError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        coordinator.stop()
    json.dump({'eventlet': patched.is_eventlet(), 'rounds': module.ROUNDS,
               'values': values}, sys.stdout)
    return 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
