# SPDX-License-Identifier: Apache-2.0

"""Run one measure in a child process, which ends in any case."""

import contextlib
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


def environment(eventlet, *path, **more):
    """Return the environment of a child that runs Cinder.

    :param bool eventlet: whether Cinder runs on eventlet or native threads
    :param path: where Cinder is, as text or pathlib.Path; nothing if it is
        installed
    :param more: other variables
    :returns: dict of name -> text
    """
    return dict(
        os.environ, **more,
        PYTHONPATH=os.pathsep.join(map(str, (*path, ROOT))),
        OS_CINDER_DISABLE_EVENTLET_PATCHING=str(int(not eventlet)))


def run(tree, mode, module, *args):
    """Measure on a tree.

    The module prints one JSON object: ``eventlet``, whether the mode is
    eventlet, ``values``, a value for each key of the measure, and ``rounds``,
    of how many each is the median, a number or one for each key.

    :param pathlib.Path tree: a Cinder source tree
    :param str mode: one of MODES
    :param str module: what runs in the process
    :param str args: its arguments
    :returns: the JSON object as a dict
    :raises ToolError: if there is no result
    """
    name = f'{module} {args[0]}'
    eventlet = mode == 'eventlet'
    with tempfile.TemporaryDirectory(prefix='measure-') as directory:
        # A group of its own, so that its peer can be ended with it.
        child = subprocess.Popen(
            [sys.executable, '-W', 'ignore', '-m', module, *args],
            cwd=directory,
            env=environment(eventlet, tree.resolve(), TMPDIR=directory),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, start_new_session=True)
        try:
            said, complained = child.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            raise ToolError(f'{name} did not end within {SECONDS} seconds')
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
    if child.returncode != 0:
        lines = complained.strip().splitlines() or ['it said nothing']
        raise ToolError(f'{name} ended with status {child.returncode}: '
                        f'{lines[-1]}')
    result = json.loads(said)
    if result['eventlet'] != eventlet:
        raise ToolError(f'{name} did not run on {mode}')
    return result
