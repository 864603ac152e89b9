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

"""Run one measure in a child process, which ends in any case."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

from bench.errors import BenchError

HERE = pathlib.Path(__file__).resolve().parent
SECONDS = 120
"""How long one measure may take before it counts as stuck."""

MODES = ('eventlet', 'threads')


def run(tree, mode, name, *args, module='bench.child'):
    """Measure on a tree.

    :param tree: pathlib.Path of the Cinder source tree
    :param mode: one of MODES
    :param name: what to measure, for the module and the error messages
    :param args: more arguments for the module
    :param module: what runs in the process
    :returns: dict with ``values``, a dict of key -> value, and ``rounds``, a
        number or a dict of key -> number
    :raises BenchError: if there is no result
    """
    eventlet = mode == 'eventlet'
    with tempfile.TemporaryDirectory(prefix='bench-') as directory:
        environment = dict(
            os.environ, TMPDIR=directory,
            PYTHONPATH=os.pathsep.join([str(tree.resolve()),
                                        str(HERE.parent)]),
            OS_CINDER_DISABLE_EVENTLET_PATCHING=str(int(not eventlet)))
        # A group of its own, so that its peer can be ended with it.
        child = subprocess.Popen(
            [sys.executable, '-W', 'ignore', '-m', module, name, *args],
            cwd=directory, env=environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, start_new_session=True)
        try:
            said, complained = child.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            raise BenchError('%s did not end within %d seconds'
                             % (name, SECONDS))
        finally:
            _end(child)
    if child.returncode != 0:
        lines = complained.strip().splitlines() or ['it said nothing']
        raise BenchError('%s ended with status %d: %s'
                         % (name, child.returncode, lines[-1]))
    result = json.loads(said)
    if result['eventlet'] != eventlet:
        raise BenchError('%s did not run on %s' % (name, mode))
    return result


def _end(child):
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    child.wait()
