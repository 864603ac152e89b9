# SPDX-License-Identifier: Apache-2.0

"""One measure in one concurrency mode, in a process of its own.

Run as ``python -m tools.measure.files.child MEASURE`` by tools.measure.files.process. The standard output
is one JSON object: ``eventlet``, whether the mode is eventlet, ``rounds``, the
number of rounds, and ``values``, a value for each key of the measure.
"""

import importlib  # noqa: I100,I202
import json
import sys
import tempfile

from tools.common.errors import ToolError
from tools.measure.files import patched


def main(name):
    """Measure, print the result, and return the exit status.

    :param name: a key of tools.measure.files.figures.MEASURES
    """
    module = importlib.import_module('bench.' + name)
    with tempfile.TemporaryDirectory(prefix='bench-') as directory:
        try:
            values = module.measure(patched.backend(directory), directory)
        except ToolError as error:
            print(error, file=sys.stderr)
            return 1
    json.dump({'eventlet': patched.is_eventlet(), 'rounds': module.ROUNDS,
               'values': values}, sys.stdout)
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
