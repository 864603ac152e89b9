# SPDX-License-Identifier: Apache-2.0

"""Run tests on the mutants that they must notice.

A test passes here if it fails there for the reason that is listed, at one try
of a few: some mutants show only when threads or processes meet.

The tests of a list for tooz run natively, on the driver that the list is named
after, within one server for all of them; those of any other list, on files.
"""

import ast
import concurrent.futures
import contextlib
import dataclasses
import json
import os
import re
import subprocess
import sys
import tempfile

from tools.checks import results
from tools.checks import runner
from tools.checks import tooz_suite
from tools.checks import trees
from tools.common import errors
from tools.series import edited
from tools.series import git
from tools.series import projects
from tools.series import releases
from tools.series import tree as built_trees

TRIES = 3
TELL = """
import json, os, sys
print(json.dumps({name: os.environ[name] for name in os.environ
                  if name.startswith('TOOZ_TEST')}), flush=True)
sys.stdin.read()
"""
"""Tells what tests need to find a server, which lives until stdin ends."""


def run(root, cinder, pattern=''):
    """Try all tests on all trees that they must fail on.

    :param pathlib.Path root: the top of this repository
    :param pathlib.Path cinder: Cinder's tree that ``./series build`` made
    :param str pattern: a regular expression for the mutants or tests to run
    :rtype: tools.checks.results.Result
    :raises ToolError: if a list is malformed, or nothing matches
    """
    wanted = trees.load(root)
    passed, failed = 0, [] if pattern else _unnamed(root, wanted)
    wanted = list(_chosen(wanted, pattern))
    if not wanted:
        raise errors.ToolError(f'No mutant and no test matches {pattern!r}.')
    built = _built(root, cinder, wanted)
    bases = {(project, base): trees.lay_out(root, built[project], base,
                                            project)
             for project, base in {(tree.project, tree.base)
                                   for tree in wanted}}
    found = {key: runner.find(folder, [
        _id(tree, test) for tree in wanted if (tree.project, tree.base) == key
        for test in tree.fails]) for key, folder in bases.items()}
    # What is damaged waits most of the time, for what does not come.
    with (contextlib.ExitStack() as servers,
          concurrent.futures.ThreadPoolExecutor(4 * os.cpu_count()) as pool):
        within = {driver: servers.enter_context(_serving(driver))
                  for driver in sorted(set(map(_driver, wanted)))}

        def attempt(tree):
            key = tree.project, tree.base
            return _try(root, bases[key], tree, found[key],
                        within[_driver(tree)])

        for tree, verdicts in zip(wanted, pool.map(attempt, wanted)):
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
    :param pathlib.Path cinder: Cinder's tree that ``./series build`` made
    :returns: a sentence for each test without a tree, and for each tree whose
        edits do not match
    :rtype: list[str]
    :raises ToolError: if a list is malformed
    """
    wanted = trees.load(root)
    found = _unnamed(root, wanted)
    repositories = {project: git.Git(built, ours=True) for project, built
                    in _built(root, cinder, wanted).items()}
    edits = edited.Edits(root)
    for tree in wanted:
        for path in tree.edits:
            try:
                trees.edit(edits, tree, path, repositories[tree.project].run(
                    'cat-file', 'blob', f'{_revision(tree, path)}:{path}'))
            except errors.ToolError as error:
                found.append(str(error))
    return found


def _revision(tree, path):
    """Return the commit that has what a tree edits.

    Whatever the base, the tests are ours.
    """
    is_test = path.startswith(trees.tests_of(tree.project))
    return 'HEAD' if is_test else tree.base


def _built(root, cinder, wanted):
    """Return the tree with the series for each project that has a list."""
    return {project: cinder if project is projects.CINDER else
            built_trees.build(root, releases.default(root, project),
                              project=project)
            for project in {tree.project for tree in wanted}}


def _id(tree, test):
    return f'{runner.name(trees.tests_of(tree.project))}.{test}'


def _driver(tree):
    """Return the driver of tooz whose server the tests need; '' for none."""
    if tree.project is projects.CINDER:
        return ''
    return tree.listed if tree.listed in tooz_suite.SERVERS else 'file'


@contextlib.contextmanager
def _serving(driver):
    """Let a server run, and return the command within which tests use it."""
    if not driver:
        yield []
        return
    with tempfile.TemporaryDirectory() as folder:
        with subprocess.Popen(
                [*tooz_suite.within(driver, folder), sys.executable, '-c',
                 TELL], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE) as server:
            told = json.loads(server.stdout.readline())
            yield ['env', *(f'{name}={told[name]}' for name in told)]


def judge(test, reason, outcomes):
    """Say what is wrong with the way in which a test failed.

    :param str test: the test's id; with ddt it stands for all its variations,
        of which at least one must fail
    :param str reason: a regular expression for the reason
    :param outcomes: id -> tools.checks.runner.Outcome
    :returns: a sentence, or None if it failed as it must
    """
    mine = [outcome for test_id, outcome in outcomes.items()
            if runner.is_variation(test_id, test) and
            outcome.status != 'skip']
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


def _try(root, base, tree, ids, within):
    try:
        folder = trees.make(root, base, tree)
    except errors.ToolError as error:
        return {test: str(error) for test in tree.fails}
    verdicts = dict.fromkeys(tree.fails, 'it did not run')
    for _number in range(TRIES):
        wanted = [test for test, complaint in verdicts.items() if complaint]
        left = [test_id for test_id in ids if any(
            runner.is_variation(test_id, _id(tree, test))
            for test in wanted)]
        if not left:
            break
        with open(folder / 'tests.log', 'a') as log:
            outcomes = runner.run_some(folder, left, log, within=within)
        verdicts |= {test: judge(_id(tree, test), tree.fails[test], outcomes)
                     for test in wanted}
    return verdicts


def _unnamed(root, wanted):
    named = {_id(tree, test) for tree in wanted for test in tree.fails}
    return [f'{test}: no tree is named on which it fails'
            for project in projects.PROJECTS.values()
            for test in sorted(_tests(root, project) - named)]


def _tests(root, project):
    """Return the tests that the series of a project adds."""
    folder = trees.tests_of(project)
    top = root / project.place_of(folder)
    return {
        f'{runner.name(f"{folder}/{path.relative_to(top)}")}'
        f'.{item.name}.{method.name}'
        for path in top.rglob('*.py')
        for item in ast.parse(path.read_text()).body
        if isinstance(item, ast.ClassDef)
        for method in item.body
        if isinstance(method, ast.FunctionDef) and
        method.name.startswith('test_')}
