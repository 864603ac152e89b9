# SPDX-License-Identifier: Apache-2.0

"""The older releases of tooz, each in a virtual environment of its own.

They are those with which the releases of Cinder are tested, and whatever else
is in an environment is what was current at their time: all of it stands in
``requirements/``.
"""

import re
import shutil
import subprocess
import sys

from tools.common import errors
from tools.series import releases

FOLDER = 'build/older'
WANTED = 'tooz[etcd3gw,redis,zookeeper]'


def pinned(root):
    """Tell where each release of tooz is pinned.

    :param pathlib.Path root: the top of this repository
    :returns: the version -> the pins of the oldest release of Cinder with it
    :rtype: dict[str, pathlib.Path]
    """
    found = {}
    for version in reversed(releases.load(root)):
        pins = root / f'requirements/{version}.txt'
        tooz, = re.findall('(?m)^tooz==(.*)$', pins.read_text())
        found.setdefault(tooz, pins)
    return found


def install(root):
    """Make the virtual environments anew.

    :param pathlib.Path root: the top of this repository
    :returns: the version of tooz -> its python
    :rtype: dict[str, pathlib.Path]
    :raises ToolError: if uv cannot install one
    """
    shutil.rmtree(root / FOLDER, ignore_errors=True)
    pythons = {}
    for version, pins in pinned(root).items():
        folder = root / FOLDER / version
        pythons[version] = folder / 'bin/python'
        _uv('venv', '--python', sys.executable, folder)
        _uv('pip', 'install', '--python', pythons[version],
            '--constraint', pins, f'{WANTED}=={version}')
    return pythons


def _uv(*command):
    if subprocess.run([sys.executable, '-m', 'uv', '--quiet',
                       *command]).returncode:
        raise errors.ToolError(
            f'uv {" ".join(map(str, command))} fails: an older tooz cannot '
            'be installed.')
