# SPDX-License-Identifier: Apache-2.0

import unittest

import yaml

from tests.cloud.faults.histories import create
from tests.cloud.faults.histories import delete
from tests.cloud.faults.histories import history
from tools.cloud.faults import records
from tools.cloud.faults import validate
from tools.cloud import journal
from tools.common.paths import ROOT


class RulesTest(unittest.TestCase):

    def rules(self, run):
        return [violation.rule for violation in validate.check(run)]

    def test_nothing_is_wrong(self):
        self.assertEqual([], self.rules(history()))

    def test_an_available_volume_with_other_data(self):
        for found in ('b2', None):
            self.assertEqual(['data'], self.rules(
                history(create(checksum=found))))

    def test_a_volume_in_error_may_have_any_data(self):
        self.assertEqual([], self.rules(history(create(
            checksum='b2', seen=[[2, 'creating'], [4, 'error']]))))

    def test_a_volume_that_was_available_for_a_moment_counts(self):
        self.assertEqual(['data'], self.rules(history(create(
            checksum='b2', seen=[[2, 'available'], [4, 'error']]))))

    def test_a_copy_under_way_when_its_source_is_deleted(self):
        for copy, deletion in (((2, 3.5), (3, 6)), ((2, None), (3, 6)),
                               ((2, 3.5), (3, None))):
            self.assertEqual(['overlap'], self.rules(
                history(copy=copy, deletion=deletion)), (copy, deletion))

    def test_a_copy_that_begins_when_its_source_is_deleted(self):
        violation, = validate.check(history(copy=(7, 8)))

        self.assertEqual('overlap', violation.rule)
        self.assertIn('began after the deletion', violation.text)

    def test_the_first_of_two_deletions_counts(self):
        run = history(copy=(6, 7), deletion=(5, None))
        run.calls.append(journal.Call('delete', 'source', 'source', 8,
                                      'two@copying', 9, 10))

        self.assertEqual(['overlap'], self.rules(run))

    def test_a_copy_in_error_may_meet_the_deletion(self):
        self.assertEqual([], self.rules(history(
            create(seen=[[2, 'creating'], [4, 'error']]), copy=(2, 9))))

    def test_a_second_try_may_follow_a_copy_that_was_killed(self):
        run = history(copy=(1, None), deletion=None)
        run.calls.append(journal.Call('copy', 'copy', 'source', 9,
                                      'two@copying', 2, 3))

        self.assertEqual([], self.rules(run))

    def test_a_delete_that_the_storage_never_heard_of_is_lost(self):
        run = history(deletion=None, stuck=[['volume', 'source', 'deleting']])

        self.assertEqual([], self.rules(run))
        self.assertEqual([run.operations[1]], validate.lost(run))

    def test_a_create_that_the_storage_never_heard_of_is_lost(self):
        run = history(create(volume_id='other', seen=[[2, 'creating']]),
                      stuck=[['volume', 'other', 'creating']])

        self.assertEqual([], self.rules(run))

    def test_a_create_that_leaves_a_volume_when_it_is_refused_is_lost(self):
        run = history(create(volume_id='other', invoked=6, outcome='refused',
                             seen=[[7, 'creating']]),
                      stuck=[['volume', 'other', 'creating']])

        self.assertEqual([], self.rules(run))
        self.assertEqual([run.operations[0]], validate.lost(run))

    def test_who_waits_for_a_lock_is_not_lost(self):
        self.assertEqual(['stuck'], self.rules(history(
            deletion=None, stuck=[['volume', 'source', 'deleting']],
            held=['/tooz/lockssource-delete_volume'])))

    def test_what_was_sent_after_the_fault_is_not_lost(self):
        self.assertEqual(['stuck'], self.rules(history(
            create(), delete(invoked=6), deletion=None,
            stuck=[['volume', 'source', 'deleting']])))

    def test_what_stays_under_way(self):
        violation, = validate.check(history(
            stuck=[['volume', 'source', 'deleting']]))

        self.assertEqual(('stuck', 'quake'), (violation.rule,
                                              violation.fault))
        self.assertIn('source is deleting', violation.text)

    def test_a_lock_that_stays(self):
        self.assertEqual(['lock'], self.rules(history(
            locks=['/tooz/lockssource-delete_volume'])))

    def test_a_lock_that_stays_until_its_process_ends(self):
        run = history()
        run.faults[0].locks = ['/tooz/lockssource-delete_volume']
        violation, = validate.check(run)

        self.assertEqual(('lock', 'quake', ['source'], 9),
                         (violation.rule, violation.fault, violation.ids,
                          violation.time))

    def test_what_does_not_work_later(self):
        violation, = validate.check(history(
            probes=[records.Probe('quake', 10, 12, 'status error')]))

        self.assertEqual('later', violation.rule)
        self.assertIn('status error', violation.text)


class OrderTest(unittest.TestCase):

    def create(self, **instead):
        return create(**{'seen': [[2, 'creating'], [4, 'error']],
                         'host': 'one', **instead})

    def check(self, create, begin=2, end=5, hosts=('one',), **instead):
        """Return the numbers of before(), by_delete() and by_fault()."""
        run = history(create, delete(), **instead)
        run.faults = [records.Fault('quake', 'it shakes', 0, begin, end, 9,
                                    hosts=list(hosts))]
        self.assertEqual([], validate.check(run))
        self.assertEqual(
            ['order'] * len(validate.by_delete(run)),
            [found.rule for found in validate.check(run, [validate.order])])
        return tuple(len(found(run)) for found in (
            validate.before, validate.by_delete, validate.by_fault))

    def test_a_create_before_the_delete_may_end_well(self):
        self.assertEqual((1, 0, 0), self.check(create()))

    def test_a_create_that_no_fault_reached_met_the_delete(self):
        for where in ({'begin': 4.5}, {'begin': 0, 'end': 0.5},
                      {'hosts': ['two']}, {'begin': None, 'end': None}):
            self.assertEqual((1, 1, 0), self.check(self.create(), **where),
                             where)

    def test_a_create_that_a_fault_reached_may_have_failed_by_it(self):
        for how in ({}, {'end': None}, {'begin': 6, 'restarted': 3}):
            self.assertEqual((1, 0, 1), self.check(self.create(), **how), how)
        self.assertEqual((1, 0, 1), self.check(self.create(host=None)))

    def test_the_message_tells_better(self):
        for part in validate.GONE:
            self.assertEqual((1, 1, 0), self.check(
                self.create(messages=['first', f'The source {part}.'])))
        self.assertEqual((1, 0, 1), self.check(
            self.create(messages=['The lock was lost.']), hosts=['two']))

    def test_a_create_that_is_not_known_to_be_first_is_not_counted(self):
        for late in ({'answered': 2.1}, {'outcome': 'failed'},
                     {'outcome': 'refused', 'seen': []},
                     {'source_id': 'other'}):
            self.assertEqual((0, 0, 0), self.check(self.create(**late)), late)

    def test_a_delete_that_was_never_sent_has_nothing_before_it(self):
        run = history(self.create(), delete(invoked=None, answered=None,
                                            seen=[]))

        self.assertEqual([], validate.before(run))

    def test_the_messages_are_those_of_the_series(self):
        told = ' '.join(
            ' '.join(rule['fix'].replace('"', '').split())
            for name in ('source-is-gone', 'source-state')
            for rule in yaml.safe_load(
                (ROOT / f'commits/cinder/{name}.yml').read_text())[
                    'edits']['cinder/message/message_field.py'])

        for part in validate.GONE:
            self.assertIn(part, told)
