# SPDX-License-Identifier: Apache-2.0

"""Command line: measure read and write locks on real servers.

Writes the page rwlock-benchmark.rst and its chart. Exits with 0 when all
goals are met; with 1 and one sentence for each that is not, or one that says
why nothing could be measured; with 2 when the command line is wrong. The last
line of the standard output counts the goals.
"""

import argparse
import logging
import pathlib
import signal
import sys

from tools.common.errors import ToolError
from tools.common import files
from tools.measure.files import process
from tools.measure.files import report
from tools.measure.files import tree
from tools.measure.files import verdict
from tools.measure.locks.backends import BACKENDS
from tools.measure.locks.backends import measures
from tools.measure.locks import chart
from tools.measure.locks import page
from tools.measure.locks import servers

NEEDED = ('cinder/__init__.py', 'cinder/monkey_patch.py',
          'cinder/tests/functional/rwlock/proxy.py')


def parse(arguments):
    """Return the arguments as an argparse.Namespace, or exit with 2.

    :param arguments: list of text, without the program's name
    """
    parser = argparse.ArgumentParser(
        prog='python -m tools.measure.locks',
        description='Measure the read and write locks of a Cinder source '
                    'tree on real servers, on eventlet and on native '
                    'threads, and hold them to their goals.')
    parser.add_argument('--tree', required=True, type=pathlib.Path,
                        help='Cinder source tree with the series')
    parser.add_argument('--backend', action='append', choices=BACKENDS,
                        dest='backends',
                        help='measure this one, and others that are named '
                             'so; default is all')
    parser.add_argument('--output', type=pathlib.Path,
                        default=pathlib.Path('doc/source/contributor'),
                        metavar='DIRECTORY',
                        help='where the page and the chart go '
                             '(default: %(default)s)')
    return parser.parse_args(arguments)


def measure_all(cinder, names):
    """Measure on all backends and return the list of lines.

    :param cinder: pathlib.Path of the Cinder source tree
    :param names: keys of tools.measure.locks.backends.BACKENDS
    """
    with servers.started(cinder, names) as urls:
        def run(mode, measure):
            print('%-8s %s' % (mode, measure), file=sys.stderr, flush=True)
            return process.run(cinder, mode, measure,
                               urls[measure.partition('.')[0]],
                               module='tools.measure.locks.child')

        return [line for name in names
                for line in verdict.measure_all(run, measures(name))]


def main(arguments):
    """Run the benchmark and return the exit status.

    :param arguments: list of text, without the program's name
    """
    args = parse(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # What servers log while they start is no progress.
    logging.getLogger().addHandler(logging.NullHandler())
    try:
        tree.check(args.tree, NEEDED)
        args.output.mkdir(parents=True, exist_ok=True)
        lines = measure_all(args.tree, args.backends or list(BACKENDS))
        files.write_whole(args.output / page.NAME,
                           page.page(lines, report.facts()))
        files.write_whole(args.output / page.CHART, chart.draw(lines))
    except (ToolError, OSError) as error:
        print('tools.measure.locks: %s' % error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('tools.measure.locks: interrupted', file=sys.stderr)
        return 1
    return report.tell([line for line in lines
                        if line.figure.bound is not None])


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
