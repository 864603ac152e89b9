# SPDX-License-Identifier: Apache-2.0

"""What each command of the cloud does around its own work.

It enters the namespaces, starts and stops clouds, and reports errors in a
sentence each.
"""

import contextlib
import os
import signal
import sys

from tools.cloud import layout
from tools.cloud import namespace
from tools.cloud.services import keystone
from tools.cloud.site import ADDRESS
from tools.cloud.site import Site
from tools.common.errors import ToolError
from tools.common.paths import ROOT
from tools.measure import tree as trees
from tools.series import releases

FOLDER = ROOT / 'build/cloud'
TREES = {'upstream': ROOT / 'build/trees/upstream',
         'patched': ROOT / f'build/cinder-{releases.default(ROOT)}'}
NEEDED = ('cinder/__init__.py', 'etc/cinder/api-paste.ini',
          'cinder/tests/functional/copying_driver.py')


def tree_of(name):
    """Return the pathlib.Path of a tree.

    :param name: a key of TREES
    :raises ToolError: if it is not there, or not whole
    """
    trees.check(TREES[name], NEEDED, f'the {name} tree, which "python -m '
                                     'tools.checks trees" makes,')
    return TREES[name]


@contextlib.contextmanager
def alone():
    """Reserve the directory of the cloud until the ``with`` block ends.

    :returns: the tools.cloud.site.Site, which has been made
    :raises ToolError: if another cloud uses it
    """
    with namespace.alone(FOLDER):
        os.environ['no_proxy'] = os.environ['NO_PROXY'] = (
            f'{ADDRESS},localhost')
        site = Site(FOLDER)
        site.make()
        try:
            yield site
        finally:
            site.remove()


@contextlib.contextmanager
def running(site, tree, *how):
    """Start a cloud, and stop it at the end of the ``with`` block.

    :param site: the tools.cloud.site.Site
    :param tree: a key of TREES
    :param how: what else tools.cloud.layout.lay_out() gets
    :returns: the tools.cloud.deployment.Deployment, and the
        tools.cloud.services.cinder.Cinder in it
    :raises ToolError: if it does not start, or the API fails in the block
    """
    deployment, cinder = layout.lay_out(site, tree_of(tree), *how)
    try:
        with deployment:
            yield deployment, cinder
    except keystone.failures() as error:
        raise ToolError(f'Cinder\'s API: {error}')


def main(parser, run, arguments=None):
    """Run a command and return its exit status, or exit with 2.

    :param parser: the argparse.ArgumentParser, from
        tools.cloud.arguments.parser()
    :param run: callable with the argparse.Namespace, called in the
        namespaces, which returns the exit status, or None for 0
    :param arguments: list of text, without the program's name; default is
        the command line
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    args = parser.parse_args(arguments)
    # SIGINT too: a shell has its background jobs ignore it.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        for tree in [args.tree] if 'tree' in args else TREES:
            tree_of(tree)
        namespace.enter(args.module, arguments)
        return run(args) or 0
    except (ToolError, OSError) as error:
        lines = []
        # The first error first.
        while error is not None:
            lines.append(f'cloud: {error}')
            error = error.__context__ if isinstance(
                error.__context__, (ToolError, OSError)) else None
        print('\n'.join(reversed(lines)), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('cloud: interrupted', file=sys.stderr)
        return 1
