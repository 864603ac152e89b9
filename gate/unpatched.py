#    Licensed under the Apache License, Version 2.0 (the "License"); you may
#    not use this file except in compliance with the License. You may obtain
#    a copy of the License at
#
#         http://www.apache.org/licenses/LICENSE-2.0
#
#    Unless required by applicable law or agreed to in writing, software
#    distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
#    WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
#    License for the specific language governing permissions and limitations
#    under the License.

"""The counter-proof: each test fails where what it guards is missing.

A test that cannot fail proves nothing. So every test that the series adds is
named in ``gate/unpatched.yml`` at least once, with a tree on which it must
fail and the reason that the failure must show. Here a test passes if it fails
there for that reason.
"""

import ast
import concurrent.futures
import os
import re

from gate import results
from gate import runner
from gate import trees
from series import errors

TESTS = 'cinder/tests'


def run(root, cinder):
    """Try all tests on all trees that they must fail on.

    :param pathlib.Path root: the top of this repository
    :param pathlib.Path cinder: the tree that ``python -m series build`` made
    :rtype: gate.results.Result
    :raises SeriesError: if the list of trees is wrong
    """
    wanted = trees.load(root)
    missing = _tests(root) - {test for tree in wanted for test in tree.fails}
    passed, failed = 0, [f'{test}: no tree is named on which it fails'
                         for test in sorted(missing)]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for tree, verdicts in zip(wanted, pool.map(
                lambda tree: _try(root, cinder, tree), wanted)):
            for test, complaint in verdicts.items():
                if complaint is None:
                    passed += 1
                else:
                    failed.append(f'{tree.name}: {test}: {complaint}')
            print(f'{tree.name}: {len(verdicts)} tests fail as they must'
                  if not any(verdicts.values()) else f'{tree.name}: FAILED',
                  flush=True)
    return results.Result(passed, tuple(failed))


def judge(test, reason, outcomes):
    """Say what is wrong with the way in which a test failed.

    :param str test: the test's id below ``cinder.tests``; with ddt it stands
        for all its variations, of which at least one must fail
    :param str reason: a regular expression for the reason
    :param outcomes: id -> gate.runner.Outcome
    :returns: a sentence, or None if it failed as it must
    """
    mine = [outcome for test_id, outcome in outcomes.items()
            if runner.is_variation(test_id, f'cinder.tests.{test}')]
    if not mine:
        return 'it did not run'
    failures = [outcome for outcome in mine if outcome.status != 'success']
    if not failures:
        return 'it passes, but must fail'
    for outcome in failures:
        if not re.search(reason, outcome.details, re.IGNORECASE):
            return (f'it fails for another reason than "{reason}": '
                    f'{outcome.details[-800:]}')
    return None


def _try(root, cinder, tree):
    try:
        folder = trees.make(root, cinder, tree)
    except errors.SeriesError as error:
        return {test: str(error) for test in tree.fails}
    with open(folder / 'tests.log', 'w') as log:
        outcomes = runner.run_some(
            folder, [f'cinder.tests.{test}' for test in tree.fails], log)
    return {test: judge(test, reason, outcomes)
            for test, reason in tree.fails.items()}


def _tests(root):
    """Return the ids of all tests that the series adds."""
    found = set()
    for path in (root / TESTS).rglob('test_*.py'):
        module = '.'.join(path.relative_to(root / TESTS).with_suffix('').parts)
        for item in ast.parse(path.read_text()).body:
            if isinstance(item, ast.ClassDef):
                found |= {f'{module}.{item.name}.{method.name}'
                          for method in item.body
                          if isinstance(method, ast.FunctionDef) and
                          method.name.startswith('test_')}
    return found
