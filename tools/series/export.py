# SPDX-License-Identifier: Apache-2.0

"""Export the series as patches with a cover letter, for ``git am``.

The letter begins with the ``cover-letter.txt`` of the project, filled in; git
adds the list of the commits and of the files that they change.  It ends in
``.txt``, so that ``git am *.patch`` takes the patches alone.
"""

import os
import string

from tools.common import progress
from tools.series import apply
from tools.series import dist
from tools.series import git
from tools.series import projects
from tools.series import tree


def export(root, version, endpoint=None, project=projects.CINDER):
    """Write ``dist/<project>-<release>/``, instead of what was there.

    :param pathlib.Path root: the top of this repository
    :param str version: the release
    :param str endpoint: the address of the package index
    :param tools.series.projects.Project project: the project
    :raises ToolError: if the tree cannot be built
    """
    built = tree.build(root, version, endpoint, project)
    with dist.scratch(root) as folder:
        made = folder / built.name
        write_patches(root, built, made, project)
        dist.put(made, root / dist.FOLDER / built.name)
    progress.say(f'{dist.FOLDER}/{built.name} is ready')


def write_patches(root, built, folder, project=projects.CINDER):
    """Write the cover letter and the patches of a tree.

    :param pathlib.Path root: the top of this repository
    :param pathlib.Path built: the tree that ``./series build`` made
    :param pathlib.Path folder: where, not existing yet
    :param tools.series.projects.Project project: the project
    :raises ToolError: if git fails
    """
    repository = git.Git(built, ours=True)
    letter = string.Template((root / project.letter).read_text()).substitute(
        release=built.name.removeprefix(f'{project.name}-'),
        before=repository.line('rev-parse', 'upstream^{tree}'),
        after=repository.line('rev-parse', f'{tree.BRANCH}^{{tree}}'))
    # The letter's date is that of its committer.
    settings = git.identity(apply.BASE_TIME) | {
        'GIT_CONFIG_COUNT': '1',
        'GIT_CONFIG_KEY_0': f'branch.{tree.BRANCH}.description',
        'GIT_CONFIG_VALUE_0': letter}
    repository.run(
        'format-patch', '--quiet', '--cover-letter',
        '--cover-from-description=subject', '--no-signature', '--no-renames',
        '--full-index', f'--output-directory={folder}',
        f'upstream..{tree.BRANCH}', env=settings)
    os.rename(folder / '0000-cover-letter.patch',
              folder / '0000-cover-letter.txt')
