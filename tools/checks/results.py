# SPDX-License-Identifier: Apache-2.0

"""Keep the results of a check, and add those of several up.

A skipped test counts as failed: a check that did not take place must not look
like one that passed. Only tests of Cinder's own may be skipped, and are named.
"""

import dataclasses
import json
import os
import pathlib
import re

FOLDER = pathlib.Path('build/results')


@dataclasses.dataclass(frozen=True)
class Result:
    """What came of one check.

    :param int passed: how many of its tests passed
    :param tuple[str, ...] failed: the others, each with a word on why
    """

    passed: int
    failed: tuple


def of(outcomes, may_skip=None):
    """Make the result of tests that ran.

    :param outcomes: id -> tools.checks.runner.Outcome
    :param may_skip: a regular expression for the ids of tests that may be
        skipped, which are named and left out; default is none
    :rtype: Result
    """
    passed = 0
    failed = []
    for test, outcome in sorted(outcomes.items()):
        if outcome.status == 'success':
            passed += 1
        elif (outcome.status == 'skip' and may_skip and
                re.match(may_skip, test)):
            print(f'SKIPPED {test}: {outcome.details}')
        else:
            failed.append(f'{test}: {outcome.status}')
    if not outcomes:
        failed.append('no test ran')
    return Result(passed, tuple(failed))


def keep(name, result):
    """Write a result down under the name of its check, all at once."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    part = FOLDER / f'{name}.part'
    part.write_text(json.dumps(dataclasses.asdict(result)))
    os.replace(part, FOLDER / f'{name}.json')


def tell(name, result):
    """Keep a result, print it, and return the exit status for it."""
    keep(name, result)
    for line in result.failed:
        print(f'FAILED {line}')
    print(f'{name}: {result.passed} passed, {len(result.failed)} failed',
          flush=True)
    return int(bool(result.failed))


def add_up(names):
    """Print the sum of checks.

    :param list[str] names: the checks that must have left a result
    :returns: the exit status, 0 only if nothing failed or is missing
    """
    passed = 0
    failed = []
    for name in names:
        try:
            kept = json.loads((FOLDER / f'{name}.json').read_text())
        except FileNotFoundError:
            failed.append(f'{name}: it left no result')
            continue
        passed += kept['passed']
        failed += [f'{name}: {line}' for line in kept['failed']]
    for line in failed:
        print(f'FAILED {line}')
    print(f'{passed} passed, {len(failed)} failed')
    return int(bool(failed))
