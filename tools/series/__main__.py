# SPDX-License-Identifier: Apache-2.0

"""The command line: ``python -m tools.series COMMAND``."""

import argparse
import pathlib
import signal
import sys

from tools.common import errors
from tools.series import check
from tools.series import export
from tools.series import onto
from tools.series import releases
from tools.series import show
from tools.series import test
from tools.series import tree
from tools.series import wheel

_ROOT = pathlib.Path(__file__).resolve().parents[2]
DEFAULT_RELEASE = releases.default(_ROOT)


def main(arguments=None, root=_ROOT, endpoint=None):
    """Run a command.

    :param list[str] arguments: the arguments; the program's by default
    :param pathlib.Path root: the top of this repository
    :param str endpoint: the address of the package index
    :returns: the exit status
    :rtype: int
    """
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        options.run(root, options, endpoint)
    except (errors.ToolError, OSError) as error:
        print(f'error: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('interrupted', file=sys.stderr)
        return 130
    return 0


def _parser():
    parser = argparse.ArgumentParser(
        prog='python -m tools.series',
        description='Turn this repository into git commits on a release of '
                    'Cinder.')
    commands = parser.add_subparsers(required=True, metavar='COMMAND')

    command = commands.add_parser(
        'build', help='make a git tree of Cinder with the commits on top')
    where = command.add_mutually_exclusive_group()
    _add_release(where)
    where.add_argument(
        '--onto', type=pathlib.Path, metavar='DIR',
        help='put the commits on top of this checkout of Cinder instead')
    command.set_defaults(run=_build)

    command = commands.add_parser(
        'check', help='verify all of the series, leaving no tree behind')
    _add_release(command)
    command.set_defaults(run=_check)

    command = commands.add_parser(
        'show', help='list the commits, or show one as a diff')
    command.add_argument(
        'commit', nargs='?', metavar='COMMIT',
        help='number, id or unique start of the Change-Id of a commit')
    _add_release(command)
    command.set_defaults(run=_show)

    command = commands.add_parser(
        'test', help='test every commit by itself: imports, style, unit tests')
    command.add_argument(
        '--commits', metavar='A..B',
        help='from which commit to which, both included, each named as for '
             'show (default: all)')
    _add_release(command)
    command.set_defaults(run=_test)

    command = commands.add_parser(
        'export', help='write a cover letter and the patches into dist/')
    _add_release(command)
    command.set_defaults(run=_export)

    command = commands.add_parser(
        'wheel', help='make an installable Cinder with the series in dist/')
    _add_release(command)
    command.set_defaults(run=_wheel)
    return parser


def _add_release(command):
    command.add_argument(
        '--cinder', default=DEFAULT_RELEASE, metavar='RELEASE',
        help='the release of Cinder (default: %(default)s)')


def _build(root, options, endpoint):
    if options.onto is None:
        tree.build(root, options.cinder, endpoint)
    else:
        onto.put_onto(root, options.onto.absolute())


def _check(root, options, endpoint):
    check.check(root, options.cinder, endpoint)


def _show(root, options, endpoint):
    if options.commit is None:
        show.list_commits(root)
    else:
        show.show_commit(root, options.commit, options.cinder, endpoint)


def _test(root, options, endpoint):
    test.test(root, options.commits, options.cinder, endpoint)


def _export(root, options, endpoint):
    export.export(root, options.cinder, endpoint)


def _wheel(root, options, endpoint):
    wheel.make(root, options.cinder, endpoint)


if __name__ == '__main__':
    sys.exit(main())
