# SPDX-License-Identifier: Apache-2.0

"""A real server for each backend, by the fixtures of Cinder's tests."""

import contextlib
import importlib
import os
import sys
import tempfile

from tools.common.errors import ToolError
from tools.measure.locks.backends import BACKENDS

FIXTURES = 'cinder.tests.functional.rwlock.'


@contextlib.contextmanager
def started(tree, names):
    """Start the servers of backends, and end them with the context.

    :param tree: pathlib.Path of the Cinder source tree
    :param names: keys of tools.measure.locks.backends.BACKENDS
    :returns: dict of name -> coordination URL
    :raises ToolError: if one is not installed or does not start
    """
    sys.path.insert(0, str(tree.resolve()))
    os.environ['OS_CINDER_DISABLE_EVENTLET_PATCHING'] = '1'
    with contextlib.ExitStack() as stack:
        yield {name: _start(BACKENDS[name], stack) for name in names}


def _start(backend, stack):
    if backend.server is None:
        return 'file://' + stack.enter_context(
            tempfile.TemporaryDirectory(prefix='measure-'))
    import fixtures

    module, _, name = backend.server.partition('.')
    try:
        server = stack.enter_context(
            getattr(importlib.import_module(FIXTURES + module), name)())
    except fixtures.MultipleExceptions as error:
        reason = error.args[0][1]
    except Exception as error:
        reason = error
    else:
        return server.url()
    raise ToolError('no server for %s: %s' % (backend.title, reason))
