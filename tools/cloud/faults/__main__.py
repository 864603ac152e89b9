# SPDX-License-Identifier: Apache-2.0

"""Command line: inject faults in the middle of traffic, and validate it.

Exits with 0 when no rule was broken; with 1 when one was, or when the cloud
did not work; with 2 when the command line is wrong.
"""

import random
import sys

from tools.cloud import arguments as common
from tools.cloud import command
from tools.cloud.faults import failpoints
from tools.cloud.faults import records
from tools.cloud.faults import relay
from tools.cloud.faults import report
from tools.cloud.faults import run as runs
from tools.cloud.faults import validate
from tools.cloud import layout
from tools.common import progress

FOLDER = command.ROOT / 'build/cloud-faults'
FORMS = {'full': (tuple(one.name for one in failpoints.FAILPOINTS), 14, 6),
         'short': (failpoints.SHORT, 5, 4)}
"""Form -> its failpoints, sources of each, creates from each source."""
RULES = {'upstream': validate.RULES,
         'patched': (*validate.RULES, validate.order)}
"""Tree -> what it has to keep."""

PARSER = common.parser(
    'tools.cloud.faults',
    'Break one part of a cloud after the other while volumes are created '
    'from sources that are deleted, and check what became of them. The '
    'results are in build/cloud-faults.')
common.add_tree(PARSER)
common.add_form(PARSER, FORMS, 'full',
                'all faults, or three of them in a few minutes')
common.add_seed(PARSER)


def run(args):
    """Inject the faults, validate what happened, and report.

    :param args: argparse.Namespace from PARSER
    :returns: the exit status
    :raises ToolError: if the cloud does not work
    """
    progress.say(f'the traffic of --seed {args.seed}')
    names, *size = FORMS[args.form]
    faults = [one for one in failpoints.FAILPOINTS if one.name in names]
    found = records.Run()
    with command.alone() as site:
        etcd = relay.RelayedCluster(site)
        settings = layout.Settings(options=runs.OPTIONS)
        with command.running(site, args.tree, settings,
                             etcd) as (deployment, cinder):
            try:
                runs.follow(faults, found, random.Random(args.seed), size,
                            site, deployment, cinder, etcd)
            finally:
                violations, rows = report.conclude(
                    found,
                    FOLDER / f'{args.tree}-{args.form}-{args.seed}.json',
                    {'tree': args.tree, 'form': args.form, 'seed': args.seed,
                     'seconds': progress.seconds()},
                    rules=RULES[args.tree])
    report.print_violations(found, violations)
    report.print_table(rows)
    report.print_failures(found)
    progress.say(f'{len(validate.before(found))} creates were accepted before '
                 'the delete of their source was sent; '
                 f'{len(validate.by_delete(found))} of them ended in error '
                 f'because of it, {len(validate.by_fault(found))} by a fault, '
                 'as far as Cinder tells')
    progress.say(f'{len(violations)} violations; {len(validate.lost(found))} '
                 'requests were lost, as Cinder loses them by itself; the '
                 f'records are in {FOLDER}')
    return 1 if violations else 0


if __name__ == '__main__':
    sys.exit(command.main(PARSER, run))
