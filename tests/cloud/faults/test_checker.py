# SPDX-License-Identifier: Apache-2.0

"""Histories that are made up, each with one thing wrong."""

import contextlib
import io
import json
import pathlib
import tempfile
import unittest

from tools.cloud.faults import checker
from tools.cloud.faults import records
from tools.cloud.faults import report

SUM = 'a1'


def create(**instead):
    """Return a create that ends well, at second 4."""
    return records.Operation(**{
        'fault': 'quake', 'kind': 'create', 'source_id': 'source',
        'name': 'copy', 'invoked': 1, 'answered': 1.5,
        'outcome': 'accepted', 'volume_id': 'copy',
        'seen': [[2, 'creating'], [4, 'available']], 'checksum': SUM,
        **instead})


def delete(**instead):
    """Return a delete of the source that ends well, at second 8."""
    return records.Operation(**{
        'fault': 'quake', 'kind': 'delete', 'source_id': 'source',
        'invoked': 2, 'answered': 2.5, 'outcome': 'accepted',
        'seen': [[3, 'deleting'], [8, 'gone']], **instead})


def history(*operations, copy=(2, 3.5), deletion=(5, 6), **instead):
    """Return a run in which all is well but for what is given."""
    calls = [records.Call('copy', 'copy', 'source', 7, 'one@copying', *copy)]
    if deletion:
        calls.append(records.Call('delete', 'source', 'source', 8,
                                  'two@copying', *deletion))
    return records.Run(**{
        'sources': [records.Source('quake', 'source', 'volume', SUM)],
        'operations': list(operations or (create(), delete())),
        'calls': calls,
        'faults': [records.Fault('quake', 'the earth shakes', 0, 2, 5, 9)],
        'probes': [records.Probe('quake', 10, 12)], 'restarted': 20,
        **instead})


class CheckerTest(unittest.TestCase):

    def rules(self, run):
        return [violation.rule for violation in checker.check(run)]

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
        violation, = checker.check(history(copy=(7, 8)))

        self.assertEqual('overlap', violation.rule)
        self.assertIn('began after the deletion', violation.text)

    def test_the_first_of_two_deletions_counts(self):
        run = history(copy=(6, 7), deletion=(5, None))
        run.calls.append(records.Call('delete', 'source', 'source', 8,
                                      'two@copying', 9, 10))

        self.assertEqual(['overlap'], self.rules(run))

    def test_a_copy_in_error_may_meet_the_deletion(self):
        self.assertEqual([], self.rules(history(
            create(seen=[[2, 'creating'], [4, 'error']]), copy=(2, 9))))

    def test_a_second_try_may_follow_a_copy_that_was_killed(self):
        run = history(copy=(1, None), deletion=None)
        run.calls.append(records.Call('copy', 'copy', 'source', 9,
                                      'two@copying', 2, 3))

        self.assertEqual([], self.rules(run))

    def test_a_delete_that_the_storage_never_heard_of_is_lost(self):
        run = history(deletion=None, stuck=[['volume', 'source', 'deleting']])

        self.assertEqual([], self.rules(run))
        self.assertEqual([run.operations[1]], checker.lost(run))

    def test_a_create_that_the_storage_never_heard_of_is_lost(self):
        run = history(create(volume_id='other', seen=[[2, 'creating']]),
                      stuck=[['volume', 'other', 'creating']])

        self.assertEqual([], self.rules(run))

    def test_who_waits_for_a_lock_is_not_lost(self):
        self.assertEqual(['stuck'], self.rules(history(
            deletion=None, stuck=[['volume', 'source', 'deleting']],
            held=['/tooz/lockssource-delete_volume'])))

    def test_what_was_sent_after_the_fault_is_not_lost(self):
        self.assertEqual(['stuck'], self.rules(history(
            create(), delete(invoked=6), deletion=None,
            stuck=[['volume', 'source', 'deleting']])))

    def test_what_stays_under_way(self):
        violation, = checker.check(history(
            stuck=[['volume', 'source', 'deleting']]))

        self.assertEqual(('stuck', 'quake'), (violation.rule,
                                              violation.fault))
        self.assertIn('source is deleting', violation.text)

    def test_a_lock_that_stays(self):
        self.assertEqual(['lock'], self.rules(history(
            locks=['/cinder/readers/source-delete_volume/1'])))

    def test_a_lock_that_stays_until_its_process_ends(self):
        run = history()
        run.faults[0].locks = ['/cinder/readers/source-delete_volume/1']
        violation, = checker.check(run)

        self.assertEqual(('lock', 'quake', ['source'], 9),
                         (violation.rule, violation.fault, violation.ids,
                          violation.time))

    def test_what_does_not_work_later(self):
        violation, = checker.check(history(
            probes=[records.Probe('quake', 10, 12, 'status error')]))

        self.assertEqual('later', violation.rule)
        self.assertIn('status error', violation.text)


class TimelineTest(unittest.TestCase):

    def test_all_that_has_a_part_in_it_is_told_in_order(self):
        run = history(create(), delete(),
                      create(volume_id='other', name='other'),
                      copy=(2, 5.5))
        violation, = [found for found in checker.check(run)
                      if found.rule == 'overlap']
        told = checker.timeline(run, violation)

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

    def test_a_fault_long_before_has_no_part_in_it(self):
        run = history(create(checksum='b2'), delete())
        run.faults.append(records.Fault('flood', 'water', 0, -100, -90, 0))
        violation, = checker.check(run)

        self.assertNotIn('water', str(checker.timeline(run, violation)))


class FiguresTest(unittest.TestCase):

    def setUp(self):
        self.run_ = history(
            create(), create(seen=[[2, 'error']], volume_id='b'),
            create(outcome='refused', volume_id=None, seen=[]),
            create(outcome='failed', volume_id=None, seen=[]),
            delete(), delete(outcome='refused'),
            create(fault='other'),
            stuck=[['volume', 'source', 'deleting']])

    def test_each_fault_has_its_own(self):
        row, = checker.figures(self.run_, checker.check(self.run_))

        self.assertEqual({
            'fault': 'quake', 'creates': 4, 'available': 1, 'refused': 1,
            'errors': 2, 'deletes': 2, 'deletes refused': 1,
            'lost': 0, 'violations': 1, 'seconds': 9}, row)

    def test_the_report_has_all(self):
        violations = checker.check(self.run_)
        rows = checker.figures(self.run_, violations)
        said = io.StringIO()
        report.print_table(rows, said)
        with contextlib.redirect_stdout(said):
            report.print_violations(self.run_, violations)
        self.assertIn('quake', said.getvalue())
        self.assertIn('violation of "stuck": volume source is deleting',
                      said.getvalue())
        self.assertIn('client: delete of source sent', said.getvalue())
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / 'found.json'
            report.write(path, {'seed': 5}, self.run_, rows, violations)
            found = json.loads(path.read_text())

        self.assertEqual(5, found['facts']['seed'])
        self.assertEqual('stuck', found['violations'][0]['rule'])
        self.assertEqual(7, len(found['records']['operations']))
