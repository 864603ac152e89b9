# SPDX-License-Identifier: Apache-2.0

"""Command line: faults in the middle of a storm, and a check of all that was.

Exits with 0 when nothing was found; with 1 when something was, or when the
cloud did not work; with 2 when the command line is wrong.
"""

import argparse
import random
import sys

from tools.cloud import command
from tools.cloud.faults import kinds
from tools.cloud.faults import schedule
from tools.common import progress

FOLDER = command.ROOT / 'build/cloud-faults'
FORMS = {'full': (tuple(kind.name for kind in kinds.KINDS), 14, 6),
         'short': (kinds.SHORT, 5, 4)}
"""Form -> its faults, sources of each storm, creates from each source."""


def parse(arguments):
    """Return the arguments as an argparse.Namespace, or exit with 2.

    :param arguments: list of text, without the program's name
    """
    parser = argparse.ArgumentParser(
        prog='python -m tools.cloud.faults',
        description='Break one part of a cloud after the other while '
                    'volumes are created from sources that are deleted, and '
                    'check what became of them. The results are in '
                    'build/cloud-faults.')
    parser.add_argument('--tree', choices=tuple(command.TREES),
                        default='patched',
                        help='which Cinder: as released, or with the series '
                             '(default: %(default)s)')
    parser.add_argument('--form', choices=tuple(FORMS), default='full',
                        help='all faults, or three of them in a few minutes '
                             '(default: %(default)s)')
    schedule.add_seed(parser)
    return parser.parse_args(arguments)


def run(args):
    """Run the faults, check what was, and tell.

    :param args: argparse.Namespace from parse()
    :returns: the exit status
    :raises ToolError: if the cloud does not work
    """
    # Only what is installed beside Cinder has them.
    from cloud import deployment

    from tools.cloud.faults import checker
    from tools.cloud.faults import course
    from tools.cloud.faults import records
    from tools.cloud.faults import relay
    from tools.cloud.faults import report

    progress.say(f'the storm of --seed {args.seed}')
    names, *size = FORMS[args.form]
    faults = [kind for kind in kinds.KINDS if kind.name in names]
    found = records.Run()
    with command.alone() as site:
        etcd = relay.RelayedCluster(site)
        settings = deployment.Settings(options=course.OPTIONS)
        with command.running(site, args.tree, settings,
                             etcd) as (cloud, cinder):
            try:
                course.follow(faults, found, random.Random(args.seed), size,
                              site, cloud, cinder, etcd)
            finally:
                violations, rows = report.conclude(
                    found,
                    FOLDER / f'{args.tree}-{args.form}-{args.seed}.json',
                    {'tree': args.tree, 'form': args.form, 'seed': args.seed,
                     'seconds': progress.seconds()})
    report.print_violations(found, violations)
    report.print_table(rows)
    progress.say(f'{len(violations)} violations; {len(checker.lost(found))} '
                 'requests were lost, as Cinder loses them by itself; the '
                 f'records are in {FOLDER}')
    return 1 if violations else 0


def main(arguments):
    """Run the command line and return the exit status.

    :param arguments: list of text, without the program's name
    """
    args = parse(arguments)
    return command.main('tools.cloud.faults', arguments, [args.tree],
                        lambda: run(args))


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
