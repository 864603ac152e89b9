# SPDX-License-Identifier: Apache-2.0

"""Run tests on the mutants that they must notice.

A test passes here if it fails there for the reason that is listed, at one try
of a few: some mutants show only when threads or processes meet.
"""

import ast
import concurrent.futures
import dataclasses
import os
import re

from tools.checks import results
from tools.checks import runner
from tools.checks import trees
from tools.common import errors
from tools.series import edited
from tools.series import git

TESTS = 'cinder/tests'
TRIES = 3


def run(root, cinder, pattern=''):
    """Try all tests on all trees that they must fail on.

    :param pathlib.Path root: the top of this repository
    :param pathlib.Path cinder: the tree that ``./series build`` made
    :param str pattern: a regular expression for the mutants or tests to run
    :rtype: tools.checks.results.Result
    :raises ToolError: if a list is malformed, or nothing matches
    """
    wanted = trees.load(root)
    passed, failed = 0, [] if pattern else _unnamed(root, wanted)
    wanted = list(_chosen(wanted, pattern))
    if not wanted:
        raise errors.ToolError(f'No mutant and no test matches {pattern!r}.')
    bases = {name: trees.lay_out(root, cinder, name) for name in trees.BASES}
    found = {base: runner.find(folder, [
        f'cinder.tests.{test}' for tree in wanted if tree.base == base
        for test in tree.fails]) for base, folder in bases.items()}
    # What is damaged waits most of the time, for what does not come.
    with concurrent.futures.ThreadPoolExecutor(4 * os.cpu_count()) as pool:
        for tree, verdicts in zip(wanted, pool.map(
                lambda tree: _try(root, bases[tree.base], tree,
                                  found[tree.base]), wanted)):
            for test, complaint in verdicts.items():
                if complaint is None:
                    passed += 1
                else:
                    failed.append(f'{tree.name}: {test}: {complaint}')
            print(f'{tree.name}: {len(verdicts)} tests fail as they must'
                  if not any(verdicts.values()) else f'{tree.name}: FAILED',
                  flush=True)
    return results.Result(passed, tuple(failed))


def complaints(root, cinder):
    """Say what is wrong with the lists, which takes no test to find out.

    :param pathlib.Path root: the top of this repository
    :param pathlib.Path cinder: the tree that ``./series build`` made
    :returns: a sentence for each test without a tree, and for each tree whose
        edits do not match
    :rtype: list[str]
    :raises ToolError: if a list is malformed
    """
    wanted = trees.load(root)
    found = _unnamed(root, wanted)
    repository, edits = git.Git(cinder, ours=True), edited.Edits(root)
    for tree in wanted:
        for path in tree.edits:
            try:
                trees.edit(edits, tree, path, repository.run(
                    'cat-file', 'blob', f'{_revision(tree, path)}:{path}'))
            except errors.ToolError as error:
                found.append(str(error))
    return found


def _revision(tree, path):
    """Return the commit that has what a tree edits.

    Whatever the base, the tests are ours.
    """
    return 'HEAD' if path.startswith(TESTS) else tree.base


def judge(test, reason, outcomes):
    """Say what is wrong with the way in which a test failed.

    :param str test: the test's id below ``cinder.tests``; with ddt it stands
        for all its variations, of which at least one must fail
    :param str reason: a regular expression for the reason
    :param outcomes: id -> tools.checks.runner.Outcome
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


def _chosen(wanted, pattern):
    for tree in wanted:
        fails = {test: reason for test, reason in tree.fails.items()
                 if re.search(pattern, tree.name) or re.search(pattern, test)}
        if fails:
            yield dataclasses.replace(tree, fails=fails)


def _try(root, base, tree, ids):
    try:
        folder = trees.make(root, base, tree)
    except errors.ToolError as error:
        return {test: str(error) for test in tree.fails}
    verdicts = dict.fromkeys(tree.fails, 'it did not run')
    for _number in range(TRIES):
        wanted = [test for test, complaint in verdicts.items() if complaint]
        left = [test_id for test_id in ids if any(
            runner.is_variation(test_id, f'cinder.tests.{test}')
            for test in wanted)]
        if not left:
            break
        with open(folder / 'tests.log', 'a') as log:
            outcomes = runner.run_some(folder, left, log)
        verdicts |= {test: judge(test, tree.fails[test], outcomes)
                     for test in wanted}
    return verdicts


def _unnamed(root, wanted):
    missing = _missing(root, {test for tree in wanted for test in tree.fails})
    return [f'{test}: no tree is named on which it fails'
            for test in sorted(missing)]


def _missing(root, named):
    """Return the tests that the series adds and that nobody named.

    A test of a contract, which runs on every backend, is named if it is for
    one of them.
    """
    missing = set()
    for path in (root / TESTS).rglob('*.py'):
        module = '.'.join(path.relative_to(root / TESTS).with_suffix('').parts)
        is_contract = path.stem.endswith('contract')
        for item in ast.parse(path.read_text()).body:
            if isinstance(item, ast.ClassDef):
                missing |= {
                    f'{module}.{item.name}.{method.name}'
                    for method in item.body
                    if isinstance(method, ast.FunctionDef) and
                    method.name.startswith('test_') and
                    not any(name.endswith('.' + method.name) if is_contract
                            else name == f'{module}.{item.name}.{method.name}'
                            for name in named)}
    return missing
