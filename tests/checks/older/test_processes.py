# SPDX-License-Identifier: Apache-2.0

import sys

import testtools

from tests import temporary
from tools.checks.older import processes
from tools.checks.older import situations
from tools.checks import trees
from tools.common import errors
from tools.common.paths import ROOT
from tools.series import projects
from tools.series import releases
from tools.series import tree as built_trees


class LockerTest(testtools.TestCase):
    """The tooz that is installed here stands for an older one."""

    def locker(self, **how):
        made = processes.Locker('tooz', sys.executable,
                                f'file://{temporary.folder(self)}', **how)
        self.addCleanup(made.stop)
        return made

    def test_it_takes_locks(self):
        locker = self.locker()
        self.assertTrue(locker.ask('acquire', 'a', 'a', False, False))
        self.assertTrue(locker.ask_later('release', 'a').result())

    def test_one_that_is_paused_ends_as_well(self):
        locker = self.locker()
        locker.pause()
        locker.stop()

    def test_one_that_is_killed_does_not_answer(self):
        locker = self.locker()
        locker.kill()
        self.assertRaises(errors.ToolError, locker.ask, 'getpid')

    def test_another_tooz_than_expected_is_told(self):
        error = self.assertRaises(
            errors.ToolError, self.locker, tree=temporary.folder(self))
        self.assertRegex(str(error), 'expected tooz, found tooz [0-9.]+ '
                                     'without shared locks')


class WholeTest(testtools.TestCase):
    """On files, beside the tooz that is installed here."""

    def wrong(self, mutant=None):
        project = projects.TOOZ
        tree = built_trees.build(ROOT, releases.default(ROOT, project),
                                 project=project)
        if mutant:
            found, = [one for one in trees.load(ROOT) if one.name == mutant]
            base = trees.lay_out(ROOT, tree, found.base, project)
            tree = trees.make(ROOT, base, found)
        with processes.Site('file', tree, {'': sys.executable}) as site:
            return {row.situation for rows in situations.run(site)
                    for row in rows if row.wrong}

    def test_an_older_tooz_and_the_series_exclude_each_other(self):
        self.assertEqual(set(), self.wrong())

    def test_a_file_of_our_own_is_seen(self):
        self.assertLessEqual({'older, we read', 'we read', 'killed first'},
                             self.wrong('file-of-our-own'))
