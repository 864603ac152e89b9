# SPDX-License-Identifier: Apache-2.0

"""Where mutants come from."""

import pathlib

import testtools

from tests import temporary
from tools.checks import trees
from tools.series import apply
from tools.series import git
from tools.series import projects

TREE = '{tree: NAME, base: upstream, fails: {}}'


class LoadTest(testtools.TestCase):

    def test_each_project_has_lists(self):
        root = temporary.folder(self, {
            'tools/checks/mutants/a.yml': f'- {TREE}',
            'tools/checks/mutants/tooz/redis.yml': f'- {TREE}'})
        self.assertEqual(
            [(projects.CINDER, 'a'), (projects.TOOZ, 'redis')],
            [(tree.project, tree.listed) for tree in trees.load(root)])


class LayOutTest(testtools.TestCase):

    def test_a_release_of_tooz_gets_our_tests(self):
        root = temporary.folder(self, {
            'built/tooz/a.py': '', 'tooz/tooz/tests/test_a.py': ''})
        repository = git.init(root / 'built')
        repository.run('add', '--all')
        repository.run('commit', '--quiet', '--message=tooz',
                       env=git.identity(apply.BASE_TIME))
        repository.run('tag', 'upstream')
        folder = trees.lay_out(root, root / 'built', 'upstream',
                               projects.TOOZ)
        self.assertEqual(root / 'build/trees/tooz/.upstream', folder)
        self.assertEqual(
            {pathlib.Path('tooz/a.py'), pathlib.Path('tooz/tests/test_a.py')},
            {path.relative_to(folder) for path in folder.rglob('*.py')})
