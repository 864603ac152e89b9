# SPDX-License-Identifier: Apache-2.0

"""Command line: storms on whole clouds, as released and with the series.

Exits with 0 when the patched tree created every volume with the data of its
source, about as fast as from as many sources; with 1 and a sentence
otherwise; with 2 when the command line is wrong.
"""

import shlex
import sys

from tools.cloud import arguments as common
from tools.cloud import command
from tools.cloud.storm import cases
from tools.cloud.storm import report
from tools.cloud.storm.results import Result
from tools.cloud.storm.run import run_case
from tools.cloud.storm import validate
from tools.common import progress
from tools.measure import machine

FOLDER = command.ROOT / 'build/cloud-storm'

PARSER = common.parser(
    'tools.cloud.storm',
    'Create many volumes at once from one source, and as many from as '
    'many sources, on whole clouds of both trees; compare times and '
    'data.')
common.add_form(PARSER, cases.FORMS, 'usual',
                'how many storms on how many clouds: about 5 minutes, 35 '
                'minutes, or, for what the usual form leaves out, 2.5 '
                'hours')


def run(args):
    """Run the storms of both trees, and report after each pair of clouds.

    :param args: argparse.Namespace from PARSER
    :returns: the exit status
    :raises ToolError: if a cloud does not work
    """
    results = []
    facts = {
        'command': shlex.join(
            ['python', '-m', args.module, '--form', args.form]),
        **machine.facts()}
    for settings, storms in cases.FORMS[args.form].items():
        found = {}
        for tree in command.TREES:
            progress.say(f'a cloud of the {tree} tree with {settings}')
            with command.alone() as site, command.running(
                    site, tree, settings) as (deployment, cinder):
                found[tree] = [
                    Result(settings, case, tree, *run_case(
                        site, deployment, cinder.volumes, case))
                    for case in storms]
        for compared in zip(*found.values()):
            results += compared
        report.write(FOLDER, results, facts)
    report.show(results)
    problems = validate.problems(results)
    for problem in problems:
        print(f'cloud: {problem}', file=sys.stderr)
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(command.main(PARSER, run))
