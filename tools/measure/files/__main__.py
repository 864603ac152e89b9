# SPDX-License-Identifier: Apache-2.0

"""Command line: measure the locks of a tree and hold them to their bounds.

Exits with 0 when all bounds are kept; with 1 and one sentence for each that
is not, or one that says why nothing could be measured; with 2 when the
command line is wrong. The last line of the standard output counts the bounds.
"""

import argparse
import pathlib
import signal
import sys

from tools.common.errors import ToolError
from tools.measure.files import process
from tools.measure.files import report
from tools.measure.files import tree
from tools.measure.files import verdict

NEEDED = ('cinder/__init__.py', 'cinder/monkey_patch.py',
          'cinder/rwlock/file.py')


def parse(arguments):
    """Return the arguments as an argparse.Namespace, or exit with 2.

    :param arguments: list of text, without the program's name
    """
    parser = argparse.ArgumentParser(
        prog='python -m tools.measure.files',
        description='Measure the read and write locks on files of a Cinder '
                    'source tree, on eventlet and on native threads, and '
                    'hold them to their bounds.')
    parser.add_argument('--tree', required=True, type=pathlib.Path,
                        help='Cinder source tree with the series')
    parser.add_argument('--output', type=pathlib.Path,
                        default=pathlib.Path('build/bench'),
                        metavar='DIRECTORY',
                        help='where locks.json goes (default: %(default)s)')
    return parser.parse_args(arguments)


def main(arguments):
    """Run the benchmark and return the exit status.

    :param arguments: list of text, without the program's name
    """
    args = parse(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)

    def run(mode, measure):
        print('%-8s %s' % (mode, measure), file=sys.stderr, flush=True)
        return process.run(args.tree, mode, measure)

    try:
        tree.check(args.tree, NEEDED)
        args.output.mkdir(parents=True, exist_ok=True)
        lines = verdict.measure_all(run)
        report.write(args.output / 'locks.json', lines, report.facts())
    except (ToolError, OSError) as error:
        print('bench: %s' % error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('bench: interrupted', file=sys.stderr)
        return 1
    return report.tell(lines)


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
