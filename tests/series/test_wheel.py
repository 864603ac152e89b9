# SPDX-License-Identifier: Apache-2.0

"""Making a wheel, with a build backend that stands for pbr."""

import json
import os
from unittest import mock
import zipfile

from tests.series import base
from tools.series import wheel

VERSION = '1.3.0'
BACKEND = '''\
import json
import os
import pathlib
import subprocess
import zipfile


def build_wheel(folder, settings=None, metadata=None):
    version = os.environ['PBR_VERSION']
    name = f'cinder-{version}-py3-none-any.whl'
    listed = subprocess.run(['git', 'ls-files'], capture_output=True,
                            text=True, check=True).stdout.split()
    pathlib.Path('left_behind').touch()
    with zipfile.ZipFile(pathlib.Path(folder, name), 'w') as wheel:
        wheel.writestr('files', json.dumps(
            [file for file in listed if file.startswith('cinder/')]))
        wheel.writestr('locks', pathlib.Path('cinder/locks.py').read_text())
        wheel.writestr('epoch', os.environ['SOURCE_DATE_EPOCH'])
        wheel.writestr(f'cinder-{version}.dist-info/METADATA', 'Name: cinder')
    return name
'''
FILES = base.FILES | {
    'pyproject.toml': '[build-system]\nrequires = []\n'
                      'build-backend = "backend"\nbackend-path = ["."]\n',
    'backend.py': BACKEND}


class ChooseTest(base.TestCase):

    def test_without_a_project_each_gets_a_wheel(self):
        self.write('commits/tooz/releases.yml', f"""\
            - {{version: 2.0.0, sha256: {'0' * 64!r}, tests: all}}
            """)
        with mock.patch.object(wheel, 'make') as make:
            self.succeed('wheel')
        self.assertEqual(
            [('cinder', base.VERSION), ('tooz', '2.0.0')],
            [(call.args[3].name, call.args[1]) for call in make.mock_calls])


class WholeWheelTest(base.TestCase):

    def setUp(self):
        super().setUp()
        self.add_release(VERSION, FILES)
        self.dist = self.root / 'dist'
        self.file = (self.dist /
                     f'cinder-{VERSION}+enhancelocks.2-py3-none-any.whl')

    def make(self):
        return self.succeed('wheel', '--cinder', VERSION)[1]

    def test_wheel(self):
        self.assertIn(f'dist/{self.file.name} is ready', self.make())
        self.assertEqual([self.file.name], os.listdir(self.dist))
        with zipfile.ZipFile(self.file) as made:
            self.assertIn('cinder/rwlock/__init__.py',
                          json.loads(made.read('files')))
            self.assertIn(b'if not lock.acquire', made.read('locks'))
            self.assertGreater(int(made.read('epoch')), 0)

    def test_built_tree_is_left_alone(self):
        self.main('build', '--cinder', VERSION)
        tree = self.root / f'build/cinder-{VERSION}'
        before = base.snapshot(tree)
        self.make()
        self.assertEqual(before, base.snapshot(tree))

    def test_wheel_of_a_changed_series(self):
        self.make()
        self.add_commit('later', 'message: Later\nadds: [doc/later.rst]\n')
        self.write('doc/later.rst', 'Later\n')
        self.make()
        self.assertEqual(
            [self.file.name, self.file.name.replace('.2-', '.3-')],
            sorted(os.listdir(self.dist)))

    def test_failure_leaves_what_was_there_and_says_why(self):
        self.make()
        before = base.snapshot(self.dist)
        self.add_release('1.4.0', FILES | {
            'backend.py': 'import nothing_such'})
        status, out, error = self.main('wheel', '--cinder', '1.4.0')
        self.assertEqual(1, status)
        self.assertRegex(error, r'error: The wheel of Cinder 1\.4\.0\+'
                                r'enhancelocks\.2 cannot be built: .*backend')
        self.assertIn("No module named 'nothing_such'", out)
        self.assertEqual(before, base.snapshot(self.dist))
