# SPDX-License-Identifier: Apache-2.0

"""Command line: a rolling upgrade of a whole cloud, and a check of it.

Exits with 0 when everything held; with 1 when something did not, or when the
cloud did not work; with 2 when the command line is wrong.
"""

import random
import sys

from tools.cloud import arguments as common
from tools.cloud import command
from tools.cloud.faults import records
from tools.cloud.faults import report
from tools.cloud.faults import run as runs
from tools.cloud import layout
from tools.cloud.upgrade import failpoints
from tools.cloud.upgrade import validate
from tools.common import progress

FOLDER = command.ROOT / 'build/cloud-upgrade'
SIZE = 12, 6
"""Sources of each step, creates from each source."""

PARSER = common.parser(
    'tools.cloud.upgrade',
    'Upgrade one host of a cluster after the other while volumes are '
    'created from sources that are deleted, go back, and check what '
    'became of them. The results are in build/cloud-upgrade.')
PARSER.add_argument('--coordination', choices=tuple(layout.SERVERS),
                    help='where the locks are (default: one after the '
                         'other)')
common.add_seed(PARSER)


def upgrade(coordination, seed):
    """Upgrade one cloud and go back.

    :param coordination: where the locks are, a key of
        tools.cloud.layout.SERVERS
    :param seed: which traffic, as an integer
    :returns: what did not hold, as a list of sentences
    :raises ToolError: if the cloud does not work
    """
    progress.say(f'locks on {coordination}, the traffic of --seed {seed}')
    found = records.Run()
    with command.alone() as site:
        server = layout.SERVERS[coordination](site)
        settings = layout.Settings(coordination, options=runs.OPTIONS)
        with command.running(site, 'upstream', settings,
                             server) as (deployment, cinder):
            try:
                runs.follow([step.failpoint() for step in failpoints.STEPS],
                            found, random.Random(seed), SIZE, site,
                            deployment, cinder, server)
            finally:
                violations, rows = report.conclude(
                    found, FOLDER / f'{coordination}-{seed}.json',
                    {'coordination': coordination, 'seed': seed,
                     'seconds': progress.seconds()},
                    lambda fault: {
                        'at once': validate.most_at_once(found, fault)})
    report.print_violations(found, violations)
    report.print_table(rows)
    return validate.problems(found, violations, coordination)


def run(args):
    """Upgrade clouds and report.

    :param args: argparse.Namespace from PARSER
    :returns: the exit status
    :raises ToolError: if a cloud does not work
    """
    servers = [args.coordination] if args.coordination else (
        tuple(layout.SERVERS))
    problems = [problem for coordination in servers
                for problem in upgrade(coordination, args.seed)]
    for problem in problems:
        print(f'cloud: {problem}', file=sys.stderr)
    progress.say(f'{len(problems)} problems; the records are in {FOLDER}')
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(command.main(PARSER, run))
