# SPDX-License-Identifier: Apache-2.0

"""Run a plan: ``python -m tools.checks.run test``, ``check`` or ``ci``.

Environments run two at a time.  Each prints into ``build/logs/`` while it
runs, and here one line when it is done.  What failed comes at the end, and the
last line is the sum.  ``check`` leaves out what passed on this very tree
already.  Needs nothing but Python and tox.
"""

import argparse
import contextlib
import hashlib
import json
import os
import subprocess
import sys
import time

from tools.checks import plan
from tools.checks import results
from tools.common import files
from tools.common.paths import ROOT

LOGS = ROOT / 'build/logs'
PASSED = ROOT / 'build/results/passed.json'
"""Environment -> what the tree was when it passed."""
LAST_LINES = 20
POLL = 0.2
"""Seconds between two looks at what runs."""


def main(arguments=None):
    """Run a plan.

    :param list[str] arguments: the arguments; the program's by default
    :returns: the exit status, 0 only if nothing failed
    :rtype: int
    """
    parser = argparse.ArgumentParser(
        prog='python -m tools.checks.run', description='Run environments.')
    parser.add_argument('plan', choices=plan.PLANS)
    chosen = parser.parse_args(arguments).plan
    names = plan.PLANS[chosen]
    os.environ.setdefault('CINDER_TEST_SERVERS', {
        'test': '', 'check': 'all', 'ci': 'all'}[chosen])
    passed_before = _passed_before() if chosen == 'check' else {}
    if chosen == 'ci':
        print(f'Left out, of what "make check" runs: '
              f'{", ".join(plan.left_out(names))}', flush=True)
    tree = _tree()
    waiting = [name for name in names if passed_before.get(name) != tree]
    for name in names:
        if name not in waiting:
            print(f'{name:26} passed on this tree before', flush=True)
    total = results.Result(0)
    for name, result in _run(waiting):
        total += result
        # Of a tree that changed meanwhile nobody knows what was tested.
        _note(name, tree if not result.failed and tree == _tree() else None)
    return _close(total)


def _run(names):
    """Run environments, as many at a time as may; yield each result."""
    LOGS.mkdir(parents=True, exist_ok=True)
    waiting, running = list(names), {}
    with contextlib.ExitStack() as stack:
        stack.callback(_end, running)
        while waiting or running:
            while (name := plan.next_of(waiting, list(running))):
                waiting.remove(name)
                running[name] = time.monotonic(), _start(name)
            time.sleep(POLL)
            for name, (begun, process) in list(running.items()):
                if process.poll() is not None:
                    del running[name]
                    result = _result(name, process.returncode)
                    print(f'{name:26} {result}, '
                          f'{time.monotonic() - begun:.0f} s', flush=True)
                    yield name, result


def _start(name):
    """Start an environment, which prints into its log."""
    environment, *arguments = name.split()
    (results.FOLDER / f'{environment}.json').unlink(missing_ok=True)
    print(f'{name:26} runs, see {_log(name).relative_to(ROOT)}', flush=True)
    with open(_log(name), 'wb') as log:
        return subprocess.Popen(
            [os.path.join(os.path.dirname(sys.executable), 'tox'), 'run',
             '-e', environment, '--', *arguments], cwd=ROOT, stdout=log,
            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)


def _end(running):
    """End what still runs when something else ends the run."""
    for _begun, process in running.values():
        process.terminate()
    for _begun, process in running.values():
        process.wait()


def _log(name):
    return LOGS / f'{plan.environment(name)}.log'


def _result(name, status):
    """Find out what came of an environment that ended."""
    environment = plan.environment(name)
    result = results.read(environment)
    if result is None or (status and not result.failed):
        lines = _log(name).read_text(errors='replace').splitlines()
        failed = (f'{environment}: exit status {status}',) if status else ()
        return results.Result(
            int(not status), failed,
            details='\n'.join(lines[-LAST_LINES:]) + '\n' if status else '')
    return results.Result(
        result.passed, tuple(f'{environment}: {line}'
                             for line in result.failed),
        tuple(f'{environment}: {line}' for line in result.skipped),
        result.details)


def _close(total):
    """Print what failed, what was skipped, and the sum."""
    if total.details:
        print(f'\n{total.details}')
    for line in total.failed:
        print(f'FAILED {line}')
    reasons = {}
    for line in total.skipped:
        reasons.setdefault(line.split(': ', 2)[-1], []).append(line)
    for reason, lines in reasons.items():
        print(f'SKIPPED {len(lines)} tests: {reason}')
    print(total, flush=True)
    return int(bool(total.failed))


def _tree():
    """Sum up all files of this repository, also those not yet committed."""
    listed = subprocess.run(
        ['git', 'ls-files', '-z', '--cached', '--others',
         '--exclude-standard'], cwd=ROOT, check=True,
        stdout=subprocess.PIPE).stdout.split(b'\0')
    digest = hashlib.sha256()
    for path in sorted(set(filter(None, listed))):
        file = ROOT / os.fsdecode(path)
        if file.is_file():
            digest.update(path + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _passed_before():
    try:
        return json.loads(PASSED.read_text())
    except FileNotFoundError:
        return {}


def _note(name, tree):
    files.write_whole(PASSED, json.dumps(_passed_before() | {name: tree}))


if __name__ == '__main__':
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit('interrupted')
