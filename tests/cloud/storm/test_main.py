# SPDX-License-Identifier: Apache-2.0

import contextlib
import io
import unittest

from tools.cloud import command
from tools.cloud.storm import __main__ as main


class MainTest(unittest.TestCase):

    def test_an_unknown_form_is_refused(self):
        with contextlib.redirect_stderr(io.StringIO()) as said:
            with self.assertRaises(SystemExit) as ended:
                command.main(main.PARSER, main.run, ['--form', 'tiny'])

        self.assertEqual(2, ended.exception.code)
        self.assertIn("invalid choice: 'tiny'", said.getvalue())
