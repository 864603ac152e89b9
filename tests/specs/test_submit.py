# SPDX-License-Identifier: Apache-2.0

"""The specification in a checkout of cinder-specs."""

import contextlib
import io

import testtools

from tests import temporary
from tools.common import errors
from tools.common.paths import ROOT
from tools.specs import submit


def index(current, *previous):
    """Return an index of cinder-specs with these releases."""
    return f'''\
Specifications
==============

{current} approved specs
=====================

.. toctree::
   :glob:

   specs/{current}/*

Previously approved specs
=========================
''' + ''.join(f'''
{release}
------

.. toctree::
   :glob:
   :maxdepth: 1

   specs/{release}/*
''' for release in previous)


INDEX = index('2026.1', '2025.1')
EDITED = index('2027.1', '2026.1', '2025.1')


class SubmitTest(testtools.TestCase):

    def setUp(self):
        super().setUp()
        self.checkout = temporary.folder(self, {
            'specs/template.rst': '', submit.INDEX: INDEX})
        self.spec = self.checkout / submit.SPEC

    def write(self, path, text):
        file = self.checkout / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def index(self):
        return (self.checkout / submit.INDEX).read_text()

    def submit(self):
        with contextlib.redirect_stdout(io.StringIO()):
            submit.submit(self.checkout)

    def assertRefused(self, reason):
        error = self.assertRaises(errors.ToolError, self.submit)
        self.assertIn(reason, str(error))

    def test_the_release_becomes_the_current_one(self):
        self.submit()
        self.assertEqual(EDITED, self.index())
        self.assertEqual((ROOT / submit.SPEC).read_bytes(),
                         self.spec.read_bytes())

    def test_a_release_that_was_opened_already_is_left_as_it_is(self):
        self.write(submit.INDEX, EDITED)
        self.write('specs/2027.1/remove-me.rst', '')
        self.submit()
        self.assertEqual(EDITED, self.index())
        self.assertEqual([self.spec], list(self.spec.parent.iterdir()))

    def test_an_index_that_the_rules_do_not_fit_changes_nothing(self):
        index = INDEX.replace('2026.1', '2026.2')
        self.write(submit.INDEX, index)
        self.assertRefused('tools/specs/index.yml: rule 1 must match 1 times')
        self.assertEqual(index, self.index())
        self.assertFalse(self.spec.exists())

    def test_a_specification_that_is_there_is_not_written_over(self):
        self.write(submit.SPEC, 'older')
        self.assertRefused('enhance-locks.rst exists already')
        self.assertEqual('older', self.spec.read_text())
        self.assertEqual(INDEX, self.index())

    def test_another_repository_is_refused(self):
        (self.checkout / 'specs/template.rst').unlink()
        self.assertRefused('is no checkout of cinder-specs')
        self.assertFalse(self.spec.exists())
