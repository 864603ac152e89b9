# SPDX-License-Identifier: Apache-2.0

"""Command line: measure the locks of tooz and hold them to their bounds.

Exits with 0 when all bounds are kept; with 1 and one sentence for each that
is not, or one that says why nothing could be measured; with 2 when the
command line is wrong. The last line of the standard output counts the bounds.
"""

import argparse
import contextlib
from importlib import metadata
import pathlib
import sys

from tools.common import cli
from tools.common.errors import ToolError
from tools.common import files
from tools.common.paths import ROOT
from tools.common.progress import say
from tools.measure.locks.backends import BACKENDS
from tools.measure.locks.backends import measures
from tools.measure.locks import chart
from tools.measure.locks.measures import MEASURES
from tools.measure.locks import page
from tools.measure.locks import program
from tools.measure.locks import report
from tools.measure.locks import verdict
from tools.measure import machine
from tools.series import projects
from tools.series import releases
from tools.series import tree as trees


def parse(arguments):
    """Return the arguments as an argparse.Namespace, or exit with 2.

    :param arguments: list of text, without the program's name
    """
    parser = argparse.ArgumentParser(
        prog='python -m tools.measure.locks',
        description='Measure the shared and exclusive locks of tooz with the '
                    'series on files and on real servers, on eventlet and on '
                    'native threads, and hold them to their bounds.')
    parser.add_argument('--backend', action='append', choices=BACKENDS,
                        dest='backends',
                        help='measure this one, and others that are named '
                             'so; default is all')
    parser.add_argument('--output', type=pathlib.Path,
                        default=pathlib.Path('build/measure'),
                        metavar='DIRECTORY',
                        help='where locks.json goes (default: %(default)s)')
    parser.add_argument('--page', type=pathlib.Path, metavar='DIRECTORY',
                        help='where a page for the documentation and its '
                             'chart go; default is to write none')
    return parser.parse_args(arguments)


def measure_all(tree, names):
    """Measure on all backends and return the list of lines.

    :param pathlib.Path tree: tooz with the series
    :param names: keys of tools.measure.locks.backends.BACKENDS
    """
    with contextlib.ExitStack() as stack:
        urls = {name: stack.enter_context(program.server(name))
                for name in names}

        def run(mode, measure):
            say(f'{mode:8} {measure}')
            name, _, function = measure.partition('.')
            with program.Site(name, urls[name], mode, tree) as site:
                return MEASURES[function](site)

        return [line for name in names
                for line in verdict.measure_all(run, measures(name))]


def measure(args):
    """Run the benchmark.

    :param argparse.Namespace args: what parse() returned
    :raises ToolError: if nothing can be measured, or a bound is missed
    """
    for directory in filter(None, (args.output, args.page)):
        directory.mkdir(parents=True, exist_ok=True)
    tree = trees.build(ROOT, releases.default(ROOT, projects.TOOZ),
                       project=projects.TOOZ)
    lines = measure_all(tree, args.backends or list(BACKENDS))
    facts = {**machine.facts(), 'tooz': metadata.version('tooz')}
    report.write(args.output / 'locks.json', lines, facts)
    if args.page:
        files.write_whole(args.page / page.NAME, page.page(lines, facts))
        files.write_whole(args.page / page.CHART, chart.draw(lines))
    failed = report.tell(lines)
    if failed:
        raise ToolError(f'{failed} bounds are missed')


if __name__ == '__main__':
    sys.exit(cli.run(measure, parse(sys.argv[1:])))
