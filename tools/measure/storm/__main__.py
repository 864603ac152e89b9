# SPDX-License-Identifier: Apache-2.0

"""Command line: a storm on two Cinder trees, a table, and a report.

Exits with 0 when the patched tree created every volume with the right
content and deleted the source after the last create; with 1 and one sentence
otherwise; with 2 when the command line is wrong.
"""

import argparse
import pathlib
import shlex
import sys

from tools.common import cli
from tools.common.errors import ToolError
from tools.common.progress import say
from tools.measure import machine
from tools.measure.storm import figures
from tools.measure.storm import process
from tools.measure.storm import report
from tools.measure.storm.run import Scenario
from tools.measure import tree as trees

NEEDED = ('cinder/__init__.py', 'etc/cinder/api-paste.ini',
          'cinder/tests/functional/copying_driver.py',
          'cinder/tests/functional/in_process.py')
INSTALLED = ('bin/python', 'bin/cinder-manage', 'etc/cinder/api-paste.ini')


def _positive(kind):
    def parse(text):
        value = kind(text)
        if not 0 < value < float('inf'):
            raise ValueError(text)
        return value
    parse.__name__ = 'positive ' + kind.__name__
    return parse


def parse(arguments):
    """Return the arguments as an argparse.Namespace, or exit with 2.

    :param arguments: list of text, without the program's name
    """
    parser = argparse.ArgumentParser(
        prog='python -m tools.measure.storm',
        description='Create many volumes at once from one source, on real '
                    'Cinder services of two source trees, one after the '
                    'other, delete the source meanwhile, and compare.')
    parser.add_argument('--upstream', required=True, type=pathlib.Path,
                        metavar='TREE', help='Cinder source tree as released')
    parser.add_argument('--patched', required=True, type=pathlib.Path,
                        metavar='TREE', help='Cinder source tree with the '
                                             'series, or virtual environment '
                                             'in which it is installed')
    parser.add_argument('--creates', type=_positive(int), default=16,
                        metavar='N', help='creates sent at once (default: '
                                          '%(default)s)')
    parser.add_argument('--seconds', type=_positive(float), default=2,
                        metavar='S',
                        help='time that one create takes in the storage '
                             '(default: %(default)s); below that, Cinder\'s '
                             'own API and scheduler, about 5 creates/s on 2 '
                             'cores, drown the lock')
    parser.add_argument('--source', choices=('snapshot', 'volume'),
                        default='snapshot',
                        help='what the volumes are created from (default: '
                             '%(default)s)')
    parser.add_argument('--threads', action='store_true',
                        help='run Cinder on native threads (default: on '
                             'eventlet)')
    parser.add_argument('--output', type=pathlib.Path,
                        default=pathlib.Path('build/storm'),
                        metavar='DIRECTORY',
                        help='where the report and the service logs go '
                             '(default: %(default)s)')
    return parser.parse_args(arguments)


def run_tree(name, tree, args):
    """Run the scenario on one tree.

    :param name: 'upstream' or 'patched'
    :param tree: pathlib.Path of the Cinder source tree or environment
    :param args: argparse.Namespace from parse()
    :returns: tools.measure.storm.records.TreeRun
    """
    what, needed = 'a Cinder source tree', NEEDED
    if process.is_environment(tree):
        what, needed = 'an installed Cinder', INSTALLED
    trees.check(tree, needed, f'{name}, {what},')
    log = args.output / (name + '.log')
    say(f'{name:8} starting Cinder of {tree}')
    try:
        with process.running(tree, args.seconds, args.threads,
                             log) as cloud:
            return Scenario(name, cloud, args.source, args.creates,
                            args.seconds).run()
    except ToolError as error:
        raise ToolError(f'{name} tree: {error}; the service log is {log}')


def compare(args, command):
    """Run the storm on both trees, and print and write the report.

    :param argparse.Namespace args: what parse() returned
    :param str command: the command line, for the report
    :raises ToolError: if a tree has no result, or the patched one a wrong one
    """
    args.output.mkdir(parents=True, exist_ok=True)
    runs = [run_tree('upstream', args.upstream, args),
            run_tree('patched', args.patched, args)]
    columns = [figures.figures(run) for run in runs]
    facts = {
        **machine.facts(),
        'command': command,
        'concurrency': 'native threads' if args.threads else 'eventlet',
        'source': args.source,
        'creates': args.creates,
        'create_seconds': args.seconds,
    }
    report.print_table(runs, columns)
    report.write(args.output, runs, columns, facts)
    say(f'report: {args.output / "report.html"}')
    found = figures.problems(columns[1])
    if found:
        raise ToolError(f'patched tree: {"; ".join(found)}')


def main(arguments):
    """Run the storm and return the exit status.

    :param arguments: list of text, without the program's name
    """
    return cli.run(compare, parse(arguments), shlex.join(
        ['python', '-m', 'tools.measure.storm', *arguments]))


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
