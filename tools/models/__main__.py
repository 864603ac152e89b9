# SPDX-License-Identifier: Apache-2.0

"""Check the Promela models of the locks: ``python -m tools.models``.

Each model that :mod:`tools.models.runs` lists is searched by Spin, all of its
states: sound ones must have no error, damaged ones must have the error that
they are damaged for.  A PATTERN, a regular expression such as ``redis``,
chooses among them by name.  What Spin leaves behind stands in build/models.
"""

import argparse
import re
import shutil
import subprocess
import sys
import time
from typing import NamedTuple

from tools.common import cli
from tools.common import errors
from tools.common.paths import ROOT
from tools.models import runs

MODELS = ROOT / 'tools/models'
WORK = ROOT / 'build/models'

LARGEST_STATE = 2048
"""Bytes of a state, at most."""
DEPTH = 2000000
"""Steps of a path, at most."""
MEMORY = 3500
"""MiB of a search, at most."""


class Result(NamedTuple):
    """What came of a search."""

    problem: str
    """What is not as it must be; empty if all is well."""

    states: int
    """How many were found."""


def main(arguments=None):
    """Check models.

    :param list[str] arguments: the arguments; the program's by default
    :raises errors.ToolError: one is not as it must be, no name fits, or a
        program is missing
    """
    parser = argparse.ArgumentParser(
        prog='python -m tools.models', description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('pattern', nargs='?', default='', metavar='PATTERN')
    pattern = parser.parse_args(arguments).pattern
    chosen = [run for run in runs.RUNS if re.search(pattern, run.name)]
    if not chosen:
        raise errors.ToolError(f'No model has a name like {pattern!r}')
    for program, package in (('spin', 'spin'), ('gcc', 'gcc')):
        if shutil.which(program) is None:
            raise errors.ToolError(
                f'{program} is missing: apt-get install {package}')
    wrong = []
    for run in chosen:
        began = time.monotonic()
        result = check(run)
        seconds = time.monotonic() - began
        verdict = result.problem or (
            f'fails as it must: {run.fails}' if run.fails else 'holds')
        print(f'{run.name:24} {result.states:9,} states {seconds:6.1f} s  '
              f'{verdict}', flush=True)
        if result.problem:
            wrong.append(run.name)
    if wrong:
        raise errors.ToolError(
            f'{len(wrong)} of {len(chosen)} models are not as they must be: '
            f'{", ".join(wrong)}')


def check(run):
    """Search all states of a model.

    :param runs.Run run: the model
    :rtype: Result
    """
    work = WORK / run.name
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    defines = [f'-D{define}' for define in run.defines.split()]
    model = MODELS / f'{run.model}.pml'
    _call(work, 'spin', '-a', *defines, model)
    if run.claim:
        how = ['-DNFAIR=4']
        search = ['-a', '-f', '-N', run.claim]
    else:
        how = ['-DSAFETY', '-DNOCLAIM']
        search = ['-E']
    _call(work, 'gcc', '-O2', '-w', f'-DMEMLIM={MEMORY}',
          f'-DVECTORSZ={LARGEST_STATE}', *how, '-o', 'pan', 'pan.c')
    output = _call(work, './pan', f'-m{DEPTH}', *search)
    (work / 'output').write_text(output)
    result = judge(output, run)
    if result.problem:
        replay = ' '.join(['spin -t -p -g', *defines, str(model)])
        if (work / f'{model.name}.trail').exists():
            return result._replace(
                problem=f'{result.problem}; cd {work}; {replay}')
    return result


def judge(output, run):
    """Tell what came of a search.

    :param str output: what it has printed
    :param runs.Run run: the model
    :rtype: Result
    """
    found = re.search(r'(\d+) states, stored', output)
    states = int(found[1]) if found else 0
    failed = runs.violated(output)
    if failed:
        problem = '' if failed == run.fails else f'violated: {failed}'
    elif ('errors: 0' not in output or 'Search not completed' in output or
          'too small' in output):
        problem = f'The search ended early: {output.strip()[-200:]}'
    elif run.fails:
        problem = f'nothing is violated, should be: {run.fails}'
    else:
        problem = ''
    return Result(problem, states)


def _call(folder, *command):
    done = subprocess.run(
        command, cwd=folder, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT)
    if done.returncode:
        raise errors.ToolError(
            f'{command[0]} has failed with {done.returncode}: '
            f'{done.stdout.strip()[-500:]}')
    return done.stdout


if __name__ == '__main__':
    sys.exit(cli.run(main))
