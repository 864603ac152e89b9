# SPDX-License-Identifier: Apache-2.0

"""One measure of one backend in one concurrency mode.

Run as ``python -m tools.measure.locks.child MEASURE URL``.
"""

import importlib
import json
import sys

from tools.common.errors import ToolError
from tools.measure.locks.backends import BACKENDS
from tools.measure.locks import patched


def main(name, url):
    """Measure, print the result, and return the exit status.

    :param str name: a key of what tools.measure.locks.backends.measures()
        returns
    :param str url: the coordination URL of the backend's server
    """
    backend, _, measure = name.partition('.')
    module = importlib.import_module('tools.measure.locks.' + measure)
    coordinator = patched.coordinator(url)
    try:
        values = module.measure(BACKENDS[backend], url, coordinator)
    except ToolError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        coordinator.stop()
    json.dump({'eventlet': patched.is_eventlet(), 'rounds': module.ROUNDS,
               'values': values}, sys.stdout)
    return 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
