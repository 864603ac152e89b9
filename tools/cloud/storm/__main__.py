# SPDX-License-Identifier: Apache-2.0

"""Command line: storms on whole clouds, as released and with the series.

Exits with 0 when the patched tree created every volume with the data of its
source, about as fast as from as many sources; with 1 and a sentence
otherwise; with 2 when the command line is wrong.
"""

import argparse
from concurrent import futures
import datetime
import os
import platform
import shlex
import sys

from tools.cloud import command
from tools.cloud.storm import cases
from tools.common import progress

FOLDER = command.ROOT / 'build/cloud-storm'
CLIENTS = 8
"""How many volumes are filled, read or dropped at once."""
FIELDS = {'snapshot': 'snapshot_id', 'volume': 'source_volume_id'}
"""What the source of a create is called in a request."""


def parse(arguments):
    """Return the arguments as an argparse.Namespace, or exit with 2.

    :param arguments: list of text, without the program's name
    """
    parser = argparse.ArgumentParser(
        prog='python -m tools.cloud.storm',
        description='Create many volumes at once from one source, and as '
                    'many from as many sources, on whole clouds of both '
                    'trees; compare times and data.')
    parser.add_argument('--form', choices=tuple(cases.FORMS), default='usual',
                        help='how many storms on how many clouds: about 5 '
                             'minutes, 35 minutes, or, for what the usual '
                             'form leaves out, 2.5 hours (default: '
                             '%(default)s)')
    return parser.parse_args(arguments)


def run_case(site, cloud, volumes, case):
    """Run one storm and its ideal.

    :param site: the tools.cloud.site.Site
    :param cloud: the tools.cloud.cloud.Cloud
    :param volumes: the block storage API of openstacksdk
    :param case: the tools.cloud.storm.cases.Case
    :returns: a tools.cloud.storm.report.Outcome of the ideal, and one of the storm
    """
    from tools.cloud.storm import contents
    from tools.cloud.storm import creates
    from tools.cloud.storm import load
    from tools.cloud.storm import report
    from tools.cloud.storm import wave

    def each(work, ids):
        with futures.ThreadPoolExecutor(CLIENTS) as pool:
            return list(pool.map(work, ids))

    requests = wave.Requests(volumes, case.backend, case.creates)
    held = contents.OF[case.backend](site, case.mebibytes)
    originals = requests.create_volumes(case.creates)
    each(held.fill, originals)
    sources = originals
    if case.source == 'snapshot':
        sources = requests.create_snapshots(originals)
    expected = dict(zip(sources, each(held.checksum, originals)))

    def outcome(name, sources):
        progress.say(f'{case}: the {name}')
        before = load.seconds(cloud)
        found = requests.wave([{FIELDS[case.source]: source}
                               for source in sources])
        spent = load.since(before, cloud)
        progress.say(f'{case}: the {name} took {found.seconds:.1f} s; '
                     'checksums')
        wrong = sum(data != expected[source] for data, source in zip(
            each(held.checksum, found.volumes), found.volumes.values()))
        most = creates.most_at_once(found.volumes,
                                    creates.intervals(site.logs))
        each(held.drop, found.volumes)
        return report.Outcome(found, wrong, most, spent)

    both = (outcome('ideal', sources),
            outcome('storm', sources[:1] * case.creates))
    # What a copy in error has in the storage may still need its source.
    if not any(found.wave.errors for found in both):
        each(held.drop, originals)
    return both


def run(form, arguments):
    """Run the storms, print the table, write the report after each pair.

    :param form: a key of cases.FORMS
    :param arguments: list of text, of the command line
    :returns: the exit status
    """
    from tools.cloud.storm import report

    results = []
    facts = {
        'command': shlex.join(['python', '-m', 'tools.cloud.storm', *arguments]),
        'cores': len(os.sched_getaffinity(0)),
        'machine': platform.platform(),
        'date': datetime.datetime.now(datetime.timezone.utc).strftime(
            '%Y-%m-%d %H:%M UTC')}
    for settings, storms in cases.FORMS[form].items():
        found = {}
        for tree in command.TREES:
            progress.say(f'a cloud of the {tree} tree with {settings}')
            with command.alone() as site, \
                    command.running(site, tree, settings) as (cloud, cinder):
                found[tree] = [
                    report.Result(settings, case, tree, *run_case(
                        site, cloud, cinder.volumes, case))
                    for case in storms]
        for compared in zip(*found.values()):
            results += compared
        report.write(FOLDER, results, facts)
    report.show(results)
    problems = report.problems(results)
    for problem in problems:
        print(f'cloud: {problem}', file=sys.stderr)
    return 1 if problems else 0


def main(arguments):
    """Run the command line and return the exit status.

    :param arguments: list of text, without the program's name
    """
    args = parse(arguments)
    return command.main('tools.cloud.storm', arguments, command.TREES,
                        lambda: run(args.form, arguments))


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
