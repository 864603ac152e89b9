# SPDX-License-Identifier: Apache-2.0

import itertools
import unittest

from tools.cloud import contents
from tools.cloud.storm import cases


class CasesTest(unittest.TestCase):

    def test_the_usual_and_the_long_form_have_every_combination(self):
        for settings in (cases.ETCD, cases.ETCD_THREADS, cases.FILE,
                         cases.FILE_THREADS):
            self.assertEqual(
                sorted(itertools.product(('snapshot', 'volume'),
                                         (16, 64, 128))),
                sorted((case.source, case.creates)
                       for form in ('usual', 'long')
                       for case in cases.FORMS[form].get(settings, ())
                       if case.backend == 'copying'))

    def test_no_form_has_a_storm_twice(self):
        for form in cases.FORMS.values():
            for storms in form.values():
                self.assertEqual(len(set(storms)), len(storms))

    def test_every_backend_can_be_looked_into(self):
        self.assertEqual(
            {case.backend for form in cases.FORMS.values()
             for storms in form.values() for case in storms},
            set(contents.OF) & set(cases.DRIVERS))
