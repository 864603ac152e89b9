# SPDX-License-Identifier: Apache-2.0

import pathlib
import unittest
from unittest import mock

from tests import temporary
from tools.common import files


class WriteWholeTest(unittest.TestCase):

    def setUp(self):
        self.path = temporary.folder(self) / 'report.html'

    def test_no_part_remains_when_writing_fails(self):
        self.path.write_text('whole')

        with mock.patch('os.replace', side_effect=OSError('disk')), \
                self.assertRaisesRegex(OSError, 'disk'):
            files.write_whole(self.path, 'new')

        self.assertEqual('whole', self.path.read_text())
        self.assertEqual([self.path], list(self.path.parent.iterdir()))

    def test_the_target_is_never_seen_in_part(self):
        def replace(part, target):
            self.assertEqual('new', pathlib.Path(part).read_text())
            self.assertFalse(target.exists())
            self.assertEqual(target.parent, pathlib.Path(part).parent)

        with mock.patch('os.replace', side_effect=replace) as replaced:
            files.write_whole(self.path, 'new')

        replaced.assert_called_once()
