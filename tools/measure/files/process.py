# SPDX-License-Identifier: Apache-2.0

"""Run one measure in a child process, which ends in any case."""

import json
import os
import signal
import subprocess
import sys
import tempfile

from tools.common.errors import ToolError
from tools.common.paths import ROOT

SECONDS = 120
"""How long one measure may take before it counts as stuck."""

MODES = ('eventlet', 'threads')


def run(tree, mode, name, *args, module='tools.measure.files.child'):
    """Measure on a tree.

    :param tree: pathlib.Path of the Cinder source tree
    :param mode: one of MODES
    :param name: what to measure, for the module and the error messages
    :param args: more arguments for the module
    :param module: what runs in the process
    :returns: dict with ``values``, a dict of key -> value, and ``rounds``, a
        number or a dict of key -> number
    :raises ToolError: if there is no result
    """
    eventlet = mode == 'eventlet'
    with tempfile.TemporaryDirectory(prefix='bench-') as directory:
        environment = dict(
            os.environ, TMPDIR=directory,
            PYTHONPATH=os.pathsep.join([str(tree.resolve()),
                                        str(ROOT)]),
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
            raise ToolError('%s did not end within %d seconds'
                             % (name, SECONDS))
        finally:
            _end(child)
    if child.returncode != 0:
        lines = complained.strip().splitlines() or ['it said nothing']
        raise ToolError('%s ended with status %d: %s'
                         % (name, child.returncode, lines[-1]))
    result = json.loads(said)
    if result['eventlet'] != eventlet:
        raise ToolError('%s did not run on %s' % (name, mode))
    return result


def _end(child):
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    child.wait()
