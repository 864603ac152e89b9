# SPDX-License-Identifier: Apache-2.0

"""Command line: try an older tooz beside the series.

Prints a line for each situation with each older tooz on each server.  Exits
with 0 when nothing was wrong; with 1 and a sentence when something was, or
could not be tried; with 2 when the command line is wrong.
"""

import argparse
import pathlib
import sys

from tools.checks.older import page
from tools.checks.older import processes
from tools.checks.older import releases as older
from tools.checks.older import situations
from tools.checks import trees
from tools.common import cli
from tools.common.errors import ToolError
from tools.common import files
from tools.common.paths import ROOT
from tools.common.progress import say
from tools.measure import machine
from tools.series import projects
from tools.series import releases
from tools.series import tree as built_trees


def parse(arguments):
    """Return the arguments as an argparse.Namespace, or exit with 2.

    :param arguments: list of text, without the program's name
    """
    parser = argparse.ArgumentParser(
        prog='python -m tools.checks.older',
        description='Have tooz as released and tooz with the series want the '
                    'same locks, on files and on real servers, and look for '
                    'two that hold one when they must not.')
    parser.add_argument('servers', nargs='*', metavar='SERVER',
                        help=f'{", ".join(processes.LEASES)}; default is all')
    parser.add_argument('--page', type=pathlib.Path, metavar='DIRECTORY',
                        help='where a page on it goes; default is to write '
                             'none')
    parser.add_argument('--mutant', metavar='NAME',
                        help='a mutant of tooz in tools/checks/mutants that '
                             'takes the place of the series, to see it fail')
    args = parser.parse_args(arguments)
    unknown = set(args.servers) - set(processes.LEASES)
    if unknown:
        parser.error(f'expected servers, {", ".join(processes.LEASES)}, '
                     f'found {", ".join(sorted(unknown))}')
    return args


def _tree(mutant):
    """Return tooz with the series, or a mutant of it."""
    project = projects.TOOZ
    built = built_trees.build(ROOT, releases.default(ROOT, project),
                              project=project)
    if not mutant:
        return built
    for tree in trees.load(ROOT):
        if (tree.project, tree.name) == (project, mutant):
            base = trees.lay_out(ROOT, built, tree.base, project)
            return trees.make(ROOT, base, tree)
    raise ToolError(f'expected a mutant of tooz, found {mutant!r}')


def tell(row):
    """Print what was seen in a row."""
    title = situations.TITLES[row.situation]
    seen = '; '.join(row.wrong) or page.seen([row])
    print(f'{row.server:9}  {row.version:6}  {title}: {seen}', flush=True)


def check(args):
    """Try everything.

    :param argparse.Namespace args: what parse() returned
    :raises ToolError: if anything is wrong, or cannot be tried
    """
    tree = _tree(args.mutant)
    pythons = older.install(ROOT)
    rows = []
    for name in args.servers or processes.LEASES:
        say(f'{name}: starts')
        with processes.Site(name, tree, pythons) as site:
            for tried in situations.run(site):
                rows += tried
                for row in tried:
                    tell(row)
        say(f'{name}: done')
    wrong = sum(bool(row.wrong) for row in rows)
    if args.page:
        files.write_whole(args.page / page.NAME,
                          page.page(rows, machine.facts()))
    print(f'{len(rows) - wrong} passed, {wrong} failed', flush=True)
    if wrong:
        raise ToolError(f'{wrong} cases have violations')


if __name__ == '__main__':
    sys.exit(cli.run(check, parse(sys.argv[1:])))
