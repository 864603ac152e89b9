# SPDX-License-Identifier: Apache-2.0

"""Source trees for tests and comparisons: releases, and mutants of them.

The lists in ``tools/checks/mutants/`` name the mutants of Cinder, those in
``tools/checks/mutants/tooz/`` the mutants of tooz.  Each is a release, or that
with the series, after a few edits in the form of a commit's.
"""

import dataclasses
import os
import pathlib
import re
import shutil
import subprocess

from tools.common import errors
from tools.series import documents
from tools.series import edited
from tools.series import projects
from tools.series import rules

LISTS = 'tools/checks/mutants'
FOLDER = pathlib.Path('build/trees')
_KEYS = {'tree', 'why', 'base', 'edits', 'fails'}
BASES = ('upstream', 'enhance-locks')
PROSE = ('api-ref', 'releasenotes')
"""Folders that no tree needs, nearly half of all files."""


@dataclasses.dataclass(frozen=True)
class Tree:
    """A tree and the tests that must fail on it.

    :param str name: its name, also that of its folder
    :param str base: ``upstream`` for the release plus our tests, or
        ``enhance-locks`` for the release with the series
    :param dict[str, list[tools.series.rules.Rule]] edits: file -> what is
        changed
    :param dict[str, str] fails: test -> a regular expression for the reason
        that its failure must show
    :param tools.series.projects.Project project: whose tree it is
    :param str listed: the name of its list, without ``.yml``
    """

    name: str
    base: str
    edits: dict
    fails: dict
    project: projects.Project = projects.CINDER
    listed: str = ''


def load(root):
    """Read the lists.

    :param pathlib.Path root: the top of this repository
    :rtype: list[Tree]
    :raises ToolError: if one is malformed
    """
    return [tree for project in projects.PROJECTS.values()
            for path in sorted((root / LISTS / project.home).glob('*.yml'))
            for tree in _load_list(root, project, path)]


def _load_list(root, project, listed):
    name = str(listed.relative_to(root))
    trees = []
    for item in documents.load_list(listed, name):
        where = f'{name}: tree {item.get("tree", len(trees) + 1)}'
        documents.refuse_unknown_keys(item, _KEYS, where)
        base = documents.take(item, 'base', str, where)
        if base not in BASES:
            raise errors.ToolError(
                f'{where}: base must be one of {", ".join(BASES)}.')
        fails = documents.take(item, 'fails', dict, where)
        for reason in fails.values():
            re.compile(reason)
        edits = {
            path: [rules.parse(rule, f'{where}: {path}: rule {number}',
                               path.endswith('.py'))
                   for number, rule in enumerate(wanted, 1)]
            for path, wanted in item.get('edits', {}).items()}
        trees.append(Tree(documents.take(item, 'tree', str, where), base,
                          edits, fails, project, listed.stem))
    return trees


def lay_out(root, built, base, project=projects.CINDER):
    """Lay a base out anew, for trees to be made from it.

    :param pathlib.Path root: the top of this repository
    :param pathlib.Path built: the tree that ``./series build`` made
    :param str base: as in :class:`Tree`
    :param tools.series.projects.Project project: the project
    :returns: its folder
    :rtype: pathlib.Path
    """
    folder = root / FOLDER / project.home / f'.{base}'
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    archive = subprocess.Popen(
        ['git', '-C', str(built), 'archive', base, '--', '.',
         *(f':(exclude){name}' for name in PROSE)], stdout=subprocess.PIPE)
    subprocess.run(['tar', '--extract', '--directory', str(folder)],
                   stdin=archive.stdout, check=True)
    if archive.wait():
        raise errors.ToolError(f'git archive {base} failed in {built}')
    if base == 'upstream':
        tests = tests_of(project)
        shutil.copytree(root / project.place_of(tests), folder / tests,
                        dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns('__pycache__'))
    return folder


def tests_of(project):
    """Return the folder of a project's tests.

    :param tools.series.projects.Project project: the project
    :rtype: str
    """
    return f'{project.name}/tests'


def make(root, base, tree):
    """Make a tree anew. It shares the files that it does not edit.

    :param pathlib.Path root: the top of this repository
    :param pathlib.Path base: what :func:`lay_out` returned
    :param Tree tree: what to make
    :returns: its folder
    :rtype: pathlib.Path
    :raises ToolError: if an edit does not match as often as it declares
    """
    folder = root / FOLDER / tree.project.home / tree.name
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(base, folder, copy_function=os.link, symlinks=True)
    edits = edited.Edits(root)
    for path in tree.edits:
        source = edit(edits, tree, path, (base / path).read_bytes())
        (folder / path).unlink()
        (folder / path).write_bytes(source)
    return folder


def edit(edits, tree, path, source):
    """Edit a file as a tree changes it.

    :param tools.series.edited.Edits edits: applies the rules
    :param Tree tree: what is to be made
    :param str path: the file
    :param bytes source: its content
    :returns: the new content
    :rtype: bytes
    :raises ToolError: if an edit does not match as often as it declares
    """
    for rule in tree.edits[path]:
        source = edits.apply(source, rule, f'tree {tree.name}')
    return source
