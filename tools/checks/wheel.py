# SPDX-License-Identifier: Apache-2.0

"""The wheels of ``./series wheel``, installed and run.

They go into a virtual environment made anew, with the pinned dependencies of
Cinder's release. There ``cinder-manage`` must start, and a small storm must
pass, with creates in parallel. Without the wheel of tooz, on tooz as released,
Cinder must know that no lock can be shared.
"""

import json
import pathlib
import shutil
import subprocess
import sys

from tools.checks import results
from tools.checks import trees
from tools.common import errors
from tools.series import projects
from tools.series import releases
from tools.series import wheel

FOLDER = pathlib.Path('build/wheel')
STORM = ('--creates', '8', '--seconds', '1')
VERSIONS = """
from importlib import metadata
print(metadata.version('cinder'), metadata.version('tooz'))
"""
SHARES = """
import sys
from cinder.common import config
from cinder import coordination
config.CONF([], project='cinder', default_config_files=[])
config.CONF.set_override('backend_url', f'file://{sys.prefix}', 'coordination')
coordination.COORDINATOR.start()
print(coordination.COORDINATOR.shares_locks)
coordination.COORDINATOR.stop()
"""


def run(root, version, cinder):
    """Build, install and run them.

    :param pathlib.Path root: the top of this repository
    :param str version: the release of Cinder
    :param pathlib.Path cinder: the tree that ``./series build`` made
    :rtype: tools.checks.results.Result
    :raises ToolError: if one cannot be built or installed
    """
    made = [wheel.make(root, version),
            wheel.make(root, releases.default(root, projects.TOOZ),
                       project=projects.TOOZ)]
    folder, pins = root / FOLDER, root / f'requirements/{version}.txt'
    shutil.rmtree(folder, ignore_errors=True)
    _uv('venv', folder)
    python = folder / 'bin/python'
    _install(python, pins, made[:1])
    released = _output(python, '-c', SHARES)
    _install(python, pins, made)
    versions = ' '.join(file.name.split('-')[1] for file in made)
    found = {
        'tooz as released shares no locks': released == 'False',
        f'installed as {versions}':
            _output(python, '-c', VERSIONS) == versions,
        'tooz with the series shares locks':
            _output(python, '-c', SHARES) == 'True',
        f'cinder-manage --version tells {version}': _output(
            folder / 'bin/cinder-manage', '--version') == version}
    upstream = trees.make(root, trees.lay_out(root, cinder, 'upstream'),
                          trees.Tree('upstream', 'upstream', {}, {}))
    storm = f'storm {" ".join(STORM)}'
    found[storm] = not subprocess.run(
        [sys.executable, '-m', 'tools.measure.storm', '--upstream', upstream,
         '--patched', folder, '--output', folder / 'storm', *STORM],
        cwd=root).returncode
    found[f'{storm} in parallel'] = found[storm] and _most_inside(
        folder / 'storm/report.json') > 1
    return results.Result(
        sum(found.values()),
        tuple(name for name, passed in found.items() if not passed))


def _install(python, pins, made):
    _uv('pip', 'install', '--python', python, '--requirement', pins, *made)


def _uv(*command):
    if subprocess.run([sys.executable, '-m', 'uv', '--quiet',
                       *command]).returncode:
        raise errors.ToolError(
            f'uv {" ".join(map(str, command))} fails: the wheels cannot be '
            'installed.')


def _most_inside(report):
    """Read how many creates were inside the driver at once."""
    patched = json.loads(report.read_text())['trees']['patched']
    return patched['figures']['most_inside']


def _output(*command):
    """Return what a command prints; None if it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    return None if done.returncode else done.stdout.strip()
