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

"""The wheel of ``python -m series wheel``, installed and run.

It goes into a virtual environment made anew, with the pinned dependencies of
its release. There ``cinder-manage`` must start, and a small storm must pass.
"""

import pathlib
import shutil
import subprocess
import sys

from gate import results
from gate import trees
from series import errors
from series import wheel

FOLDER = pathlib.Path('build/wheel')
STORM = ('--creates', '8', '--seconds', '1')


def run(root, version, cinder):
    """Build, install and run it.

    :param pathlib.Path root: the top of this repository
    :param str version: the release of Cinder
    :param pathlib.Path cinder: the tree that ``python -m series build`` made
    :rtype: gate.results.Result
    :raises SeriesError: if it cannot be built or installed
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
        [sys.executable, '-m', 'storm', '--upstream', upstream, '--patched',
         folder, '--output', folder / 'storm', *STORM], cwd=root).returncode
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
            raise errors.SeriesError(f'{made.name} cannot be installed.')
    return python


def _output(*command):
    """Return what a command prints; None if it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    return None if done.returncode else done.stdout.strip()
