# SPDX-License-Identifier: Apache-2.0

import contextlib
import io
import unittest

from tools.cloud import arguments


class SeedTest(unittest.TestCase):

    def test_a_seed_is_fixed_or_given_or_random(self):
        def seed(*words):
            parser = arguments.parser('tools.cloud.thing', 'Does a thing.')
            arguments.add_seed(parser)
            return parser.parse_args(words).seed

        self.assertEqual(arguments.SEED, seed())
        self.assertEqual(5, seed('--seed', '5'))
        self.assertNotEqual(seed('--seed', 'random'), seed('--seed', 'random'))
        said = io.StringIO()
        with contextlib.redirect_stderr(said), self.assertRaises(SystemExit):
            seed('--seed', 'any')
        self.assertIn("invalid seed value: 'any'", said.getvalue())
