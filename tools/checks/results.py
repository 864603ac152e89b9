# SPDX-License-Identifier: Apache-2.0

"""Keep the result of an environment for whoever adds several up.

A skipped test counts as failed, unless it may be skipped: a check that did not
take place must not look like one that passed.  Tests that may be skipped are
counted and named.
"""

import dataclasses
import json

from tools.common import files
from tools.common.paths import ROOT

FOLDER = ROOT / 'build/results'


@dataclasses.dataclass(frozen=True)
class Result:
    """What came of one environment.

    :param int passed: how many of its tests passed
    :param tuple[str, ...] failed: the others, each with a word on why
    :param tuple[str, ...] skipped: those that may be skipped, with the reason
    :param str details: what the failed ones printed
    """

    passed: int
    failed: tuple = ()
    skipped: tuple = ()
    details: str = ''

    def __add__(self, other):
        return Result(self.passed + other.passed, self.failed + other.failed,
                      self.skipped + other.skipped,
                      self.details + other.details)

    def __str__(self):
        skipped = f', {len(self.skipped)} skipped' if self.skipped else ''
        return f'{self.passed} passed, {len(self.failed)} failed{skipped}'


def of(outcomes, may_skip=lambda test: False):
    """Make the result of tests that ran.

    :param outcomes: id -> tools.checks.runner.Outcome
    :param may_skip: tells of an id whether that test may be skipped; default
        is none
    :rtype: Result
    """
    passed, failed, skipped, details = 0, [], [], []
    for test, outcome in sorted(outcomes.items()):
        if outcome.status == 'success':
            passed += 1
        elif outcome.status == 'skip' and may_skip(test):
            skipped.append(f'{test}: {" ".join(outcome.details.split())}')
        else:
            failed.append(f'{test}: {outcome.status}')
            details.append(f'{test}\n{outcome.details}\n')
    if not outcomes:
        failed.append('no test ran')
    return Result(passed, tuple(failed), tuple(skipped), '\n'.join(details))


def tell(name, result):
    """Keep and print a result.

    :param str name: the environment
    :param Result result: what came of it
    :returns: the exit status, 0 only if nothing failed
    :rtype: int
    """
    files.write_whole(FOLDER / f'{name}.json',
                      json.dumps(dataclasses.asdict(result)))
    for line in result.skipped:
        print(f'SKIPPED {line}')
    for line in result.failed:
        print(f'FAILED {line}')
    print(f'{name}: {result}', flush=True)
    return int(bool(result.failed))


def read(name):
    """Read what :func:`tell` kept.

    :param str name: the environment
    :returns: its result; None if it left none
    :rtype: Result
    """
    try:
        kept = json.loads((FOLDER / f'{name}.json').read_text())
    except FileNotFoundError:
        return None
    return Result(kept['passed'], tuple(kept['failed']),
                  tuple(kept['skipped']), kept['details'])
