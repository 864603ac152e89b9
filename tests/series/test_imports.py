# SPDX-License-Identifier: Apache-2.0

"""Which tooz a tree of Cinder imports."""

import os
from unittest import mock

import testtools

from tests import temporary
from tools.common.paths import ROOT
from tools.series import imports
from tools.series import projects


class ImportsTest(testtools.TestCase):

    def setUp(self):
        super().setUp()
        self.built = []
        self.addCleanup(imports._tooz.cache_clear)
        imports._tooz.cache_clear()
        self.enterContext(mock.patch.object(
            imports.trees, 'build', self.build))

    def build(self, root, version, project):
        self.built.append((root, project))
        return root / f'build/{project.name}-{version}'

    def tree(self, *files):
        return temporary.folder(self, dict.fromkeys(files, ''))

    def test_cinder_with_the_series_imports_the_tooz_with_the_series(self):
        tree = self.tree(imports.SERIES)
        cinder, tooz = imports.folders(tree)
        self.assertEqual(tree.resolve(), cinder)
        self.assertEqual(ROOT / 'build', tooz.parent)
        self.assertEqual([(ROOT, projects.TOOZ)], self.built)

    def test_cinder_as_released_imports_the_tooz_that_is_installed(self):
        tree = self.tree('cinder/volume/manager.py')
        self.assertEqual([tree.resolve()], imports.folders(tree))
        self.assertEqual([], self.built)

    def test_the_tooz_is_built_once(self):
        for _time in range(2):
            imports.folders(self.tree(imports.SERIES))
        self.assertEqual(1, len(self.built))

    def test_other_folders_come_last(self):
        tree = self.tree(imports.SERIES)
        self.assertEqual(
            [*map(str, imports.folders(tree)), 'a', 'b'],
            imports.path(tree, 'a', 'b').split(os.pathsep))

    def test_a_file_of_the_series_tells_that_a_tree_has_it(self):
        self.assertTrue((ROOT / imports.SERIES).exists())
