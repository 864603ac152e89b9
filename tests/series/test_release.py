# SPDX-License-Identifier: Apache-2.0
"""Fetching the release, and trusting only what has the right hash."""

import ddt

from tests.series import base


@ddt.ddt
class ReleaseTest(base.TestCase):

    def setUp(self):
        super().setUp()
        self.kept = (self.root / 'build/cache' /
                     f'cinder-{base.VERSION}.tar.gz')

    def test_downloaded_once(self):
        self.assertIn('Downloading', self.build()[2])
        self.write('cinder/rwlock/__init__.py', 'SHARED = 2\n')
        status, _, err = self.build()
        self.assertEqual(0, status)
        self.assertNotIn('Downloading', err)

    def test_kept_file_tampered_with(self):
        self.build()
        content = self.kept.read_bytes()
        self.kept.write_bytes(content[:-1] + b'\1')
        error = self.fail('build', '--cinder', base.VERSION)
        self.assertRegex(error, 'wrong hash: expected sha256 [0-9a-f]{64}, '
                                'found [0-9a-f]{64}')

    def test_kept_file_and_note_tampered_with(self):
        self.build()
        self.kept.write_bytes(b'bad')
        note = self.kept.with_name(self.kept.name + '.sha256')
        note.write_text('8b2e75bfe4ae4dbb1ba5a8a9a5d3a2ea8ae4d1b2'
                        'f8d8c0c3d7e5a2b1f0e9d8c7\n')
        self.assertIn('wrong hash', self.fail('build', '--cinder',
                                              base.VERSION))

    def test_wrong_hash_from_the_index(self):
        self.index.add('1.3.0', sha256='0' * 64)
        error = self.fail('build', '--cinder', '1.3.0')
        self.assertIn(f'wrong hash: expected sha256 {"0" * 64}, found ', error)
        self.assertEqual([], list((self.root / 'build/cache').iterdir()))

    def test_unknown_release(self):
        for version in ('1.0.0', '1.4.0', '1.4.0.0rc1', '2.0.0'):
            self.index.add(version)
        error = self.fail('build', '--cinder', '1.3.0')
        self.assertIn('PyPI has no source release of Cinder 1.3.0; near it '
                      'are 1.0.0, 1.2.0, 1.4.0, 2.0.0.', error)

    @ddt.data('master', '../../x', '')
    def test_no_version(self, version):
        self.assertIn('is no version of Cinder',
                      self.fail('build', '--cinder', version))

    def test_no_network(self):
        self.index.close()
        error = self.fail('build', '--cinder', base.VERSION)
        self.assertIn('PyPI is not reachable', error)

    def test_no_network_but_kept(self):
        self.build()
        self.write('cinder/rwlock/__init__.py', 'SHARED = 2\n')
        self.index.close()
        status, _, err = self.build()
        self.assertEqual(0, status, err)
        self.assertIn('not reachable, using the release kept', err)

    def test_no_network_and_tampered_with(self):
        self.build()
        self.kept.write_bytes(b'bad')
        self.index.close()
        self.assertIn('wrong hash',
                      self.fail('build', '--cinder', base.VERSION))
