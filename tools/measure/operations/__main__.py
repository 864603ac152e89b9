# SPDX-License-Identifier: Apache-2.0

"""What creates and deletes that meet no other cost more than before.

Run as ``python -m tools.measure.operations --upstream TREE --patched TREE``.
Both trees take turns, each time in a process of its own. For each operation
the table has the median of a call on either tree, and their ratio; the last
line is what one uncontended lock of tooz costs, which is what an operation may
cost more. Exits with 0 if none costs more than that and what the ratios of the
rounds differ by, else with 1.
"""

import argparse
import pathlib
import statistics
import sys

from tools.common import cli
from tools.common.errors import ToolError
from tools.common.progress import say
from tools.measure import process
from tools.measure import turns

TURNS = 5
OPERATIONS = 40
"""How many of each kind a turn times."""


def parse(arguments):
    """Return the arguments as an argparse.Namespace, or exit with 2."""
    parser = argparse.ArgumentParser(
        prog='python -m tools.measure.operations',
        description='Compare creates and deletes that meet no other on two '
                    'trees of Cinder.')
    for tree in ('upstream', 'patched'):
        parser.add_argument('--' + tree, required=True, type=pathlib.Path,
                            help='source tree with the functional tests of '
                                 'the series')
    return parser.parse_args(arguments)


def measure(trees, mode):
    """Time the operations on both trees.

    :param trees: dict of name -> pathlib.Path of the tree
    :param str mode: one of tools.measure.process.MODES
    :returns: dict of operation -> name -> list of seconds, by turn
    :raises ToolError: if a process fails
    """
    seconds = {}
    for turn in range(TURNS):
        for name in turns.forth_and_back(trees, turn):
            say(f'{mode:8} {turn + 1}/{TURNS} {name}')
            values = process.run(
                trees[name], mode, 'tools.measure.operations.child',
                str(OPERATIONS))['values']
            for operation, value in values.items():
                seconds.setdefault(operation, {}).setdefault(name, []).append(
                    value)
    return seconds


def tell(mode, seconds):
    """Print the table of a mode.

    :param str mode: one of tools.measure.process.MODES
    :param seconds: what measure() returned
    :returns: list of the operations that cost too much, as text
    """
    lock = statistics.median(seconds.pop('lock')['upstream'])
    expensive = []
    for operation, by_tree in seconds.items():
        upstream, patched = by_tree['upstream'], by_tree['patched']
        ratios = [one / other for one, other in zip(patched, upstream)]
        ratio = turns.ratio(patched, upstream)
        allowed = (1 + lock / statistics.median(upstream) +
                   statistics.stdev(ratios))
        print('%-8s %-20s %7.2f ms %7.2f ms  ratio %.3f, allowed %.3f' % (
            mode, operation, 1000 * statistics.median(upstream),
            1000 * statistics.median(patched), ratio, allowed))
        if ratio > allowed:
            expensive.append(f'{operation} on {mode}')
    print('%-8s %-20s %7.3f ms' % (mode, 'one lock of tooz', 1000 * lock))
    return expensive


def compare(args):
    """Measure and print the tables.

    :param argparse.Namespace args: what parse() returned
    :raises ToolError: if nothing can be measured, or an operation costs more
        than it may
    """
    trees = {'upstream': args.upstream, 'patched': args.patched}
    expensive = []
    for mode in process.MODES:
        expensive += tell(mode, measure(trees, mode))
    if expensive:
        raise ToolError('dearer by more than one lock: '
                        f'{", ".join(expensive)}')


if __name__ == '__main__':
    sys.exit(cli.run(compare, parse(sys.argv[1:])))
