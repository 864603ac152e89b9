# SPDX-License-Identifier: Apache-2.0

import unittest

from tools.cloud.faults import __main__ as main
from tools.cloud.faults import failpoints


class FormsTest(unittest.TestCase):

    def count(self, form):
        names, sources, creates = main.FORMS[form]
        self.assertLessEqual(set(names), {
            one.name for one in failpoints.FAILPOINTS})
        return len(names) * sources * creates, len(names) * sources

    def test_the_full_form_is_large(self):
        creates, deletes = self.count('full')
        self.assertGreaterEqual(creates, 500)
        self.assertGreaterEqual(deletes, 100)

    def test_the_short_form_is_small(self):
        self.assertEqual((60, 15), self.count('short'))
