# SPDX-License-Identifier: Apache-2.0

import unittest

from tests.cloud.storm.made_up import result
from tools.cloud.layout import Settings
from tools.cloud.storm import cases


class ResultTest(unittest.TestCase):

    def test_a_copy_without_latency_is_a_clone(self):
        rbd = result()
        rbd.case = cases.Case('rbd', 'snapshot', 4)
        self.assertEqual('rbd, cloned', rbd.backend)
        rbd.cloud = Settings(latency=0.1)
        self.assertEqual('rbd, copied', rbd.backend)
