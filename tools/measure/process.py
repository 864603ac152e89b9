# SPDX-License-Identifier: Apache-2.0

"""Run one measure in a child process, which ends in any case."""

import json
import os
import sys
import tempfile

from tools.cloud.services import service
from tools.common.errors import ToolError
from tools.common.paths import ROOT
from tools.series import imports

SECONDS = 120
"""How long one measure may take before it counts as stuck."""

LOG = ROOT / 'build/measure/errors.log'
"""What the children complain about."""

MODES = ('eventlet', 'threads')


def environment(eventlet, tree=None, **more):
    """Return the environment of a child that runs Cinder.

    :param bool eventlet: whether Cinder runs on eventlet or native threads
    :param pathlib.Path tree: the Cinder source tree; None if Cinder is
        installed
    :param more: other variables
    :returns: dict of name -> text
    """
    return dict(
        os.environ, **more,
        PYTHONPATH=imports.path(tree, ROOT) if tree else str(ROOT),
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
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix='measure-') as directory:
        result = json.loads(service.run(
            name, [sys.executable, '-W', 'ignore', '-m', module, *args], LOG,
            environment(eventlet, tree, TMPDIR=directory),
            directory, SECONDS))
    if result['eventlet'] != eventlet:
        raise ToolError(f'{name} did not run on {mode}')
    return result
