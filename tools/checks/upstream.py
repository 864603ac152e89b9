# SPDX-License-Identifier: Apache-2.0

"""Cinder's whole own unit suite on the tree with the series.

A test that fails there is run again on Cinder as released. It counts unless
it fails there in the same way: with dependencies newer than the release some
do.
"""

import re

from tools.checks import results
from tools.checks import runner
from tools.checks import trees

UNIT = './cinder/tests/unit'
CORE = r'cinder\.tests\.unit\.(?!volume\.drivers\.(?!test_(lvm|rbd)))'
"""Cinder's unit tests without those of most drivers, two thirds of all."""


def run(root, cinder, pattern, threads, may_skip):
    """Run the suite.

    :param pathlib.Path root: the top of this repository
    :param pathlib.Path cinder: the tree that ``./series build``
        made
    :param str pattern: a regular expression that finds the ids to run
    :param bool threads: native threads instead of eventlet
    :param may_skip: tells of an id whether that test may be skipped; any
        other counts as failed
    :rtype: tools.checks.results.Result
    """
    ran = runner.run_all(cinder, UNIT, pattern, threads)
    outcomes = {test: outcome for test, outcome in ran.items()
                if outcome.status != 'skip' or not may_skip(test)}
    print(f'{len(ran) - len(outcomes)} are skipped')
    failed = sorted(test for test, outcome in outcomes.items()
                    if outcome.status not in ('success', 'skip'))
    if failed:
        folder = trees.lay_out(root, cinder, 'upstream')
        with open(folder / 'tests.log', 'w') as log:
            released = runner.run_some(folder, failed, log, threads)
        for test in failed:
            if test in released and same(outcomes[test], released[test]):
                print(f'{test}: fails on Cinder as released, too')
                del outcomes[test]
    return results.of(outcomes)


def same(one, other):
    """Return whether two Outcomes are failures with the same last line."""
    return other.status != 'success' and reason_of(one) == reason_of(other)


def reason_of(outcome):
    """Return the line of a traceback that says what went wrong.

    Temporary paths, numbers and addresses are left out: they differ by run.
    """
    lines = [line for line in outcome.details.splitlines()
             if re.match(r'[\w.]+(Error|Exception|Mismatch\w*|Failed)\b',
                         line)]
    last = lines[-1] if lines else outcome.status
    return re.sub(r'/tmp/\S+|0x[0-9a-f]+|\d+', 'N', last)
