# SPDX-License-Identifier: Apache-2.0

"""Make the pins in ``requirements/`` anew: ``python -m tools.checks.pins``.

A release is pinned to what was current on the date that the list of releases
gives, because its code knows nothing newer. What this repository's tools need
is exempt from the date, and so is Cinder itself.
"""

import subprocess
import sys

from packaging import requirements
from packaging import utils

from tools.common import cli
from tools.common import errors
from tools.common.paths import ROOT
from tools.series import releases
from tools.series import tree

COMPILE = ('uv', 'pip', 'compile', '--quiet', '--python-version', '3.11',
           '--no-header', '--no-annotate', '--upgrade')
TOOLS = 'requirements/build.in'
WITHOUT_DATE = ('docs', 'linters', 'cloud')
"""What is pinned to today's versions, beside the default release."""


def commands(root):
    """Return the commands that make the pins.

    :param pathlib.Path root: the top of this repository
    :returns: their arguments, in the order in which they have to run
    :rtype: list[list[str]]
    :raises ToolError: if the list of releases is malformed
    """
    exempt = [f'--exclude-newer-package={name}=2100-01-01'
              for name in ('cinder', *_names(root / TOOLS))]
    made = []
    for release in releases.load(root).values():
        dated = ['--exclude-newer', str(release.pins), *exempt]
        made.append(_compile(release.version, dated if release.pins else []))
    return made + [_compile(name) for name in WITHOUT_DATE]


def _names(path):
    lines = (line.partition('#')[0].strip()
             for line in path.read_text().splitlines())
    return [utils.canonicalize_name(requirements.Requirement(line).name)
            for line in lines if line]


def _compile(name, options=()):
    return [*COMPILE, *options, '--output-file', f'requirements/{name}.txt',
            f'requirements/{name}.in']


def make(root):
    """Make the pins, after the trees whose requirements they include.

    :param pathlib.Path root: the top of this repository
    :raises ToolError: if a tree cannot be built, or uv finds no versions that
        fit; the pins made until then are new, the others as they were
    """
    for version in releases.load(root):
        tree.build(root, version)
    for command in commands(root):
        status = subprocess.run(command, cwd=root).returncode
        if status:
            raise errors.ToolError(
                f'expected new pins, found exit status {status} of '
                f'{" ".join(command)}')


if __name__ == '__main__':
    sys.exit(cli.run(make, ROOT))
