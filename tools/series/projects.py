# SPDX-License-Identifier: Apache-2.0

"""The projects that have a series here, and all that differs between them.

A project is a folder of ``commits/``, with the order of its commits, their
files, its releases and its cover letter, and an entry here.  Everything else
is the same for all.
"""

import dataclasses

from tools.common import errors


@dataclasses.dataclass(frozen=True)
class Check:
    """A check of style.

    :param tuple[str, ...] command: what follows ``python -m``; the files of a
        commit come behind
    :param str package: the folder whose files alone it takes, and of which it
        reads all; all files, and nothing else, if it is empty
    """

    command: tuple
    package: str = ''


@dataclasses.dataclass(frozen=True, eq=False)
class Project:
    """One project.

    :param str name: what pip calls it
    :param str title: what its people call it
    :param str home: the folder of this repository that mirrors its top: the
        files that a commit adds stand there; empty for our own top
    :param tuple[str, ...] ours: the folders below it whose files all land
    :param str change: what its Change-Ids are made from, beside the name of a
        commit
    :param str blueprint: what its commits implement
    :param tuple[Check, ...] style: its checks of style
    :param tuple[str, ...] settings: what they read beside the files
    :param str unit: the folder of its unit tests
    :param dict[str, str] environment: what these need in the environment, with
        ``{tree}`` for the path of the tree that they run on
    """

    name: str
    title: str
    home: str
    ours: tuple
    change: str
    blueprint: str
    style: tuple
    settings: tuple
    unit: str
    environment: dict

    @property
    def folder(self):
        """The folder of its commits, relative to our top, as all below."""
        return f'commits/{self.name}'

    @property
    def order(self):
        """The file that lists its commits."""
        return f'{self.folder}/series'

    @property
    def releases(self):
        """The file that lists its releases."""
        return f'{self.folder}/releases.yml'

    @property
    def letter(self):
        """The template of its cover letter."""
        return f'{self.folder}/cover-letter.txt'

    def file_of(self, name):
        """Return the file that holds a commit.

        :param str name: the name of the commit
        :rtype: str
        """
        return f'{self.folder}/{name}.yml'

    def place_of(self, path):
        """Return where a file stands that a commit adds.

        :param str path: where it lands, relative to the project's top
        :rtype: str
        """
        return f'{self.home}/{path}' if self.home else path


CINDER = Project(
    name='cinder', title='Cinder', home='',
    ours=('cinder', 'doc/source', 'releasenotes'),
    change='enhance-locks', blueprint='enhance-locks',
    style=(Check(('flake8',)),),
    settings=('.flake8', 'setup.cfg', 'tox.ini', 'cinder/tests/hacking'),
    unit='cinder/tests/unit',
    environment={'OS_CINDER_DISABLE_EVENTLET_PATCHING': '0'})

TOOZ = Project(
    name='tooz', title='tooz', home='tooz', ours=('.',),
    change='enhance-locks/tooz', blueprint='support-shared-lock',
    style=(Check(('flake8',)),
           Check(('ruff', 'check', '--quiet', '--output-format=concise')),
           Check(('ruff', 'format', '--check')),
           # What tooz requires need not be installed.
           Check(('mypy', '--follow-imports=silent',
                  '--ignore-missing-imports', '--no-warn-unused-ignores',
                  '--hide-error-context', '--no-error-summary'), 'tooz')),
    settings=('pyproject.toml', 'setup.cfg', 'tox.ini'),
    unit='tooz/tests',
    environment={'TOOZ_TEST_URL': 'file://{tree}.locks'})

PROJECTS = {project.name: project for project in (CINDER, TOOZ)}
"""The projects by name, the main one first."""


def here(root):
    """List the projects that have a series in a repository.

    :param pathlib.Path root: its top
    :rtype: list[Project]
    :raises ToolError: if there is none
    """
    found = [project for project in PROJECTS.values()
             if (root / project.folder).is_dir()]
    if not found:
        raise errors.ToolError(
            f'expected a folder in commits/, named {" or ".join(PROJECTS)}.')
    return found


def find(name):
    """Find a project.

    :param str name: its name
    :rtype: Project
    :raises ToolError: if there is none of that name
    """
    if name not in PROJECTS:
        raise errors.ToolError(
            f'expected a project, {" or ".join(PROJECTS)}, found {name!r}.')
    return PROJECTS[name]
