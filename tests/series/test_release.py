# SPDX-License-Identifier: Apache-2.0

"""Fetching the release, and trusting only what has the right hash."""

from unittest import mock

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

    def test_wrong_hash_from_the_index(self):
        self.add_release('1.3.0', sha256='0' * 64)
        error = self.fail('build', '--cinder', '1.3.0')
        self.assertIn(f'wrong hash: expected sha256 {"0" * 64}, found ', error)
        self.assertIn('It came from the package index.', error)
        self.assertEqual([], list((self.root / 'build/cache').iterdir()))

    def test_unlisted_release(self):
        self.add_release('1.1.0')
        self.index.add('1.3.0')
        self.assertIn(
            f"{base.RELEASES} has no release '1.3.0'; it has 1.2.0, 1.1.0. "
            f'"./series build --onto DIR" takes a checkout of any other.',
            self.fail('build', '--cinder', '1.3.0'))

    def test_listed_release_that_the_index_does_not_have(self):
        self.add_release('1.3.0')
        (self.index.folder / 'cinder/index.html').write_text('<html></html>')
        self.assertIn('The package index has no cinder-1.3.0.tar.gz.',
                      self.fail('build', '--cinder', '1.3.0'))

    def test_release_that_is_listed_first_is_the_default(self):
        self.add_release('1.3.0')
        self.succeed('build')
        self.assertTrue(self.tree.exists())

    @ddt.data('master', '../../x', '')
    def test_no_version(self, version):
        self.assertIn(f'has no release {version!r}; it has 1.2.0.',
                      self.fail('build', '--cinder', version))

    def test_no_network(self):
        self.index.close()
        error = self.fail('build', '--cinder', base.VERSION)
        self.assertIn('cinder-1.2.0.tar.gz cannot be downloaded: ', error)

    @ddt.data(True, False)
    def test_kept_file_needs_no_network(self, changed):
        self.build()
        if changed:
            self.write('cinder/rwlock/__init__.py', 'SHARED = 2\n')
        self.index.close()
        with mock.patch('socket.socket', side_effect=AssertionError):
            _, err = self.succeed('build')
        self.assertIn('is ready' if changed else 'is up to date', err)

    def test_no_network_and_tampered_with(self):
        self.build()
        self.kept.write_bytes(b'bad')
        self.index.close()
        self.assertIn('wrong hash',
                      self.fail('build', '--cinder', base.VERSION))
