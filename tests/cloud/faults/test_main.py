# SPDX-License-Identifier: Apache-2.0

import contextlib
import io
import unittest
from unittest import mock

from tests.cloud.faults.histories import create
from tests.cloud.faults.histories import delete
from tests.cloud.faults.histories import history
from tests.cloud import made_up
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


class ExitTest(unittest.TestCase):

    def run_(self, tree):
        """Run on a cloud where a create met a delete behind it.

        :returns: the exit status, and what is printed
        """
        def follow(_faults, run, *_cloud):
            vars(run).update(vars(history(
                create(seen=[[4, 'error']], host='one'), delete(),
                finished=True)))

        args = main.PARSER.parse_args(['--tree', tree])
        said = io.StringIO()
        with mock.patch.multiple(
                main.command, alone=mock.MagicMock(),
                running=lambda *_how: contextlib.nullcontext((None, None))), \
                mock.patch.object(main, 'FOLDER', made_up.folder(self)), \
                mock.patch.object(main.relay, 'RelayedCluster'), \
                mock.patch.object(main.runs, 'follow', follow), \
                contextlib.redirect_stdout(said), \
                contextlib.redirect_stderr(said):
            return main.run(args), said.getvalue()

    def test_a_create_that_met_a_delete_fails_the_run(self):
        status, said = self.run_('patched')

        self.assertEqual(1, status)
        self.assertIn('violation of "order"', said)

    def test_cinder_as_released_promises_no_order(self):
        status, said = self.run_('upstream')

        self.assertEqual(0, status)
        self.assertIn('1 creates were accepted before the delete of their '
                      'source was sent; 1 of them ended in error', said)
