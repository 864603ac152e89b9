# SPDX-License-Identifier: Apache-2.0

import unittest

from tests.cloud.faults.histories import create
from tests.cloud.faults.histories import delete
from tests.cloud.faults.histories import history
from tools.cloud.faults import records
from tools.cloud.faults import timeline
from tools.cloud.faults import validate


class TimelineTest(unittest.TestCase):

    def test_all_that_has_a_part_in_it_is_told_in_order(self):
        run = history(create(), delete(),
                      create(volume_id='other', name='other'),
                      copy=(2, 5.5))
        violation, = [found for found in validate.check(run)
                      if found.rule == 'overlap']
        told = timeline.timeline(run, violation)

        self.assertEqual(sorted(told), told)
        text = '\n'.join(line for _time, line in told)
        for part in ('client: create of copy from source sent',
                     'client: copy is available',
                     'storage: copy of source to copy begins on one@copying',
                     'storage: delete of source begins on two@copying',
                     'fault: the earth shakes begins',
                     'violation of overlap'):
            self.assertEqual(1, text.count(part), part)
        self.assertNotIn('other', text)

    def test_it_has_what_cinder_told(self):
        run = history(create(seen=[[4, 'error']], messages=['Source gone.']))
        told = timeline.timeline(run, validate.Violation(
            'order', 'quake', '', ['copy'], 4))

        self.assertIn((4, 'client: Cinder tells: Source gone.'), told)

    def test_a_fault_long_before_has_no_part_in_it(self):
        run = history(create(checksum='b2'), delete())
        run.faults.append(records.Fault('flood', 'water', 0, -100, -90, 0))
        violation, = validate.check(run)

        self.assertNotIn('water', str(timeline.timeline(run, violation)))
