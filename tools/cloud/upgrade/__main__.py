# SPDX-License-Identifier: Apache-2.0

"""Command line: a rolling upgrade of a whole cloud, and a check of it.

Exits with 0 when all was as it had to be; with 1 when it was not, or when the
cloud did not work; with 2 when the command line is wrong.
"""

import argparse
import random
import sys

from tools.cloud import command
from tools.cloud.faults import schedule
from tools.common import progress

FOLDER = command.ROOT / 'build/cloud-upgrade'
SERVERS = ('etcd3', 'postgresql')
SIZE = 12, 6
"""Sources of each storm, creates from each source."""


def parse(arguments):
    """Return the arguments as an argparse.Namespace, or exit with 2.

    :param arguments: list of text, without the program's name
    """
    parser = argparse.ArgumentParser(
        prog='python -m tools.cloud.upgrade',
        description='Upgrade one host of a cluster after the other while '
                    'volumes are created from sources that are deleted, go '
                    'back, and check what became of them. The results are '
                    'in build/cloud-upgrade.')
    parser.add_argument('--coordination', choices=SERVERS,
                        help='where the locks are (default: one after the '
                             'other)')
    schedule.add_seed(parser)
    return parser.parse_args(arguments)


def upgrade(coordination, seed):
    """Upgrade one cloud and go back.

    :param coordination: where the locks are, one of SERVERS
    :param seed: which storms, as an integer
    :returns: what was wrong, as a list of sentences
    :raises ToolError: if the cloud does not work
    """
    # Only what is installed beside Cinder has them.
    from cloud import deployment

    from tools.cloud.faults import course
    from tools.cloud.faults import records
    from tools.cloud.faults import report
    from tools.cloud.upgrade import steps

    progress.say(f'locks on {coordination}, the storms of --seed {seed}')
    found = records.Run()
    with command.alone() as site:
        server = deployment.SERVERS[coordination](site)
        settings = deployment.Settings(coordination, options=course.OPTIONS)
        with command.running(site, 'upstream', settings,
                             server) as (cloud, cinder):
            try:
                course.follow([step.kind() for step in steps.STEPS], found,
                              random.Random(seed), SIZE, site, cloud, cinder,
                              server)
            finally:
                violations, rows = report.conclude(
                    found, FOLDER / f'{coordination}-{seed}.json',
                    {'coordination': coordination, 'seed': seed,
                     'seconds': progress.seconds()},
                    lambda fault: {
                        'at once': steps.most_at_once(found, fault)})
    report.print_violations(found, violations)
    report.print_table(rows)
    return steps.problems(found, violations, coordination)


def run(args):
    """Upgrade clouds and tell.

    :param args: argparse.Namespace from parse()
    :returns: the exit status
    :raises ToolError: if a cloud does not work
    """
    servers = [args.coordination] if args.coordination else SERVERS
    problems = [problem for coordination in servers
                for problem in upgrade(coordination, args.seed)]
    for problem in problems:
        print(f'cloud: {problem}', file=sys.stderr)
    progress.say(f'{len(problems)} problems; the records are in {FOLDER}')
    return 1 if problems else 0


def main(arguments):
    """Run the command line and return the exit status.

    :param arguments: list of text, without the program's name
    """
    args = parse(arguments)
    return command.main('tools.cloud.upgrade', arguments, command.TREES,
                        lambda: run(args))


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
