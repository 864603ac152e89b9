# SPDX-License-Identifier: Apache-2.0

"""Make a wheel of a project with its series.

Its version is the release's with the number of commits as a local version,
``29.0.0+enhancelocks.22``: pip takes it for 29.0.0 where that is asked for,
and prefers it.  The same series gives the same wheel, byte by byte.
"""

import os
import subprocess
import sys

from tools.common import errors
from tools.common import progress
from tools.series import apply
from tools.series import dist
from tools.series import git
from tools.series import projects
from tools.series import tree


def make(root, version, endpoint=None, project=projects.CINDER):
    """Write the wheel into ``dist/``.

    :param pathlib.Path root: the top of this repository
    :param str version: the release
    :param str endpoint: the address of the package index
    :param tools.series.projects.Project project: the project
    :returns: the wheel
    :rtype: pathlib.Path
    :raises ToolError: if the tree cannot be built, or the wheel
    """
    built = tree.build(root, version, endpoint, project)
    repository = git.Git(built, ours=True)
    commits = repository.line(
        'rev-list', '--count', f'upstream..{tree.BRANCH}')
    local = f'{version}+enhancelocks.{commits}'
    told = f'wheel of {project.title} {local}'
    progress.say(f'Building the {told}')
    with dist.scratch(root) as folder:
        # In a clone, because a build leaves files in the source tree.
        repository.run('clone', '--quiet', '--shared', '--branch',
                       tree.BRANCH, '.', str(folder / 'source'))
        made = _build(folder, local, told)
        place = root / dist.FOLDER / made.name
        dist.put(made, place)
    progress.say(f'{dist.FOLDER}/{place.name} is ready')
    return place


def _build(folder, local, told):
    environment = os.environ | {
        'PBR_VERSION': local,
        'SKIP_GENERATE_AUTHORS': '1',
        'SKIP_WRITE_GIT_CHANGELOG': '1',
        'SOURCE_DATE_EPOCH': str(apply.BASE_TIME)}
    done = subprocess.run(
        [sys.executable, '-m', 'build', '--wheel', '--outdir',
         folder / 'wheel', folder / 'source'],
        env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, errors='replace')
    made = list((folder / 'wheel').glob('*.whl'))
    if done.returncode or len(made) != 1:
        print(done.stdout, flush=True)
        raise errors.ToolError(
            f'The {told} cannot be built: '
            f'{[*done.stdout.splitlines(), ""][-2]}')
    return made[0]
