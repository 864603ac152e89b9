# SPDX-License-Identifier: Apache-2.0

"""Which environment runs which test."""

import ddt
import testtools

from tools.checks import selection
from tools.common.paths import ROOT
from tools.series import commits

UNIT = 'cinder/tests/unit/'
FUNCTIONAL = 'cinder/tests/functional/'


def commit(adds=(), edits=()):
    return commits.Commit(1, 'one', 'topic', 'One\n', tuple(adds),
                          dict.fromkeys(edits, []), None, None)


@ddt.ddt
class SelectionTest(testtools.TestCase):

    ADDED = commit([UNIT + 'test_a.py', UNIT + 'base.py',
                    FUNCTIONAL + 'test_b.py', FUNCTIONAL + 'copying.py',
                    FUNCTIONAL + 'volume/test_c.py', 'cinder/a.py'])

    def test_an_added_test_runs_where_it_stands(self):
        self.assertEqual({UNIT + 'test_a.py'},
                         selection.unit([self.ADDED], []))
        self.assertEqual(
            {FUNCTIONAL + 'test_b.py', FUNCTIONAL + 'volume/test_c.py'},
            selection.functional([self.ADDED]))
        self.assertEqual([], selection.problems([self.ADDED]))

    def test_an_added_test_that_nothing_runs_is_named(self):
        stranger = commit(['cinder/tests/compliance/test_stranger.py'])
        told, = selection.problems([self.ADDED, stranger])
        self.assertIn('cinder/tests/compliance/test_stranger.py', told)

    @ddt.data(
        ('cinder/volume/manager.py', [
            'volume/test_snapshot.py', 'volume/test_volume.py']),
        ('cinder/coordination.py', ['test_coordination.py']),
        ('cinder/volume/drivers/rbd.py', ['volume/drivers/test_rbd.py']))
    @ddt.unpack
    def test_tests_of_an_edited_file_run(self, path, expected):
        files = [UNIT + name for name in (
            'test_coordination.py', 'test_utils.py', 'volume/base.py',
            'volume/test_snapshot.py', 'volume/test_volume.py',
            'volume/drivers/test_rbd.py', 'volume/drivers/test_lvm.py')]
        self.assertEqual({UNIT + name for name in expected},
                         selection.unit([commit(edits=[path])], files))

    def test_every_test_of_the_series_runs_somewhere(self):
        series = commits.load(ROOT)
        self.assertEqual([], selection.problems(series))
        self.assertEqual(
            selection.ours(series),
            {path for path in selection.unit(series, ()) |
             selection.functional(series)
             if path in selection.ours(series)})
