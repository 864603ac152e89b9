# SPDX-License-Identifier: Apache-2.0

"""What a search of a model has printed is judged as it must be."""

import os
from unittest import mock

import testtools

from tools.common import errors
from tools.models import __main__
from tools.models import runs

WHOLE = '       12 states, stored\nState-vector 9 byte, errors: 0\n'
VIOLATED = 'pan:1: assertion violated alone (at depth 9)\n'
SOUND = runs.Run('name', 'redis', '')


class ModelsTest(testtools.TestCase):

    def judge(self, output, fails=''):
        return __main__.judge(output, SOUND._replace(fails=fails)).problem

    def test_a_sound_model_holds(self):
        self.assertEqual(('', 12), __main__.judge(WHOLE, SOUND))

    def test_a_sound_model_must_not_fail(self):
        self.assertIn(runs.ALONE, self.judge(VIOLATED))

    def test_a_damaged_model_must_not_hold(self):
        self.assertIn(runs.ALONE, self.judge(WHOLE, runs.ALONE))

    def test_a_damaged_model_must_fail_as_it_is_meant_to(self):
        self.assertEqual('', self.judge(VIOLATED, runs.ALONE))
        self.assertIn(runs.ALONE, self.judge(VIOLATED, runs.STARVED))

    def test_a_search_that_ends_early_proves_nothing(self):
        for told in ('Warning: Search not completed',
                     'error: max search depth too small'):
            self.assertIn('ended early', self.judge(WHOLE + told))

    def test_a_missing_program_is_told(self):
        with mock.patch.dict(os.environ, PATH='/nowhere'):
            error = self.assertRaises(
                errors.ToolError, __main__.main, ['redis-live'])
        self.assertIn('apt-get install spin', str(error))

    def test_a_name_that_nothing_has_is_told(self):
        self.assertRaises(errors.ToolError, __main__.main, ['no-such'])

    def test_names_are_unique(self):
        names = [run.name for run in runs.RUNS]
        self.assertEqual(sorted(set(names)), sorted(names))
