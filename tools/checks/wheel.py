# SPDX-License-Identifier: Apache-2.0

"""The wheel of ``./series wheel``, installed and run.

It goes into a virtual environment made anew, with the pinned dependencies of
its release. There ``cinder-manage`` must start, and a small storm must pass.
"""

import pathlib
import shutil
import subprocess
import sys

from tools.checks import results
from tools.checks import trees
from tools.common import errors
from tools.series import wheel

FOLDER = pathlib.Path('build/wheel')
STORM = ('--creates', '8', '--seconds', '1')


def run(root, version, cinder):
    """Build, install and run it.

    :param pathlib.Path root: the top of this repository
    :param str version: the release of Cinder
    :param pathlib.Path cinder: the tree that ``./series build`` made
    :rtype: tools.checks.results.Result
    :raises ToolError: if it cannot be built or installed
    """
    made = wheel.make(root, version)
    folder = root / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    python = _install(folder, made, root / f'requirements/{version}.txt')
    found = {
        f'installed as {made.name.split("-")[1]}': _output(
            python, '-c', 'import importlib.metadata as metadata; '
            'print(metadata.version("cinder"))') == made.name.split('-')[1],
        f'cinder-manage --version tells {version}': _output(
            folder / 'bin/cinder-manage', '--version') == version}
    upstream = trees.make(root, trees.lay_out(root, cinder, 'upstream'),
                          trees.Tree('upstream', 'upstream', {}, {}))
    found[f'storm {" ".join(STORM)}'] = not subprocess.run(
        [sys.executable, '-m', 'tools.measure.storm', '--upstream', upstream,
         '--patched', folder, '--output', folder / 'storm', *STORM],
        cwd=root).returncode
    return results.Result(
        sum(found.values()),
        tuple(name for name, passed in found.items() if not passed))


def _install(folder, made, pins):
    """Make the environment; return its Python."""
    python = folder / 'bin/python'
    for command in (['venv', '--quiet', folder],
                    ['pip', 'install', '--quiet', '--python', python,
                     '--requirement', pins, made]):
        if subprocess.run([sys.executable, '-m', 'uv', *command]).returncode:
            raise errors.ToolError(f'{made.name} cannot be installed.')
    return python


def _output(*command):
    """Return what a command prints; None if it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    return None if done.returncode else done.stdout.strip()
