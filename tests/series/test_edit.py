# SPDX-License-Identifier: Apache-2.0

"""How a rule is applied to one file."""

import os
import tempfile
from unittest import mock

import ddt
import testtools

from tools.common import errors
from tools.series import edit
from tools.series import rules


def python(fix, count=1, **rule):
    return rules.Rule('rule 3', count, {'rule': rule, 'fix': fix})


def text(count=1, **body):
    return rules.Rule('rule 3', count, body)


@ddt.ddt
class EditTest(testtools.TestCase):

    def apply(self, source, rule):
        return edit.apply(source.encode(), rule, 'Cinder 1').decode()

    def refuse(self, source, rule):
        error = self.assertRaises(errors.ToolError, self.apply, source, rule)
        self.assertIn('Cinder 1: rule 3', str(error))
        return str(error)

    @ddt.data('b(2)', 'b(2)\n')
    def test_last_newline_of_fix(self, fix):
        self.assertEqual('def f():\n    b(2)\n\n\nx = 1\n', self.apply(
            'def f():\n    a(1)\n\n\nx = 1\n', python(fix, pattern='a(1)')))

    @ddt.data('b(2)', 'b(2)\n')
    def test_last_newline_of_template(self, fix):
        self.assertEqual('def f():\n    b(2)\n', self.apply(
            'def f():\n    a(1)\n',
            python({'template': fix}, pattern='a(1)')))

    def test_lines_of_fix_are_indented(self):
        self.assertEqual(
            'def f():\n    if x:\n\n        b()\n', self.apply(
                'def f():\n    a()\n',
                python('if x:\n\n    b()\n', pattern='a()')))

    def test_body_moves_with_its_layout(self):
        source = ('def f():\n    try:\n        # first\n        a(1,\n'
                  '          2)\n\n        if b:\n            c()\n'
                  '        # last\n    finally:\n        d()\n')
        rule = python('with x:\n    try:\n        $$$B\n    finally:\n'
                      '        $$$C\n',
                      pattern='try:\n    $$$B\nfinally:\n    $$$C')
        self.assertEqual(
            'def f():\n    with x:\n        try:\n            # first\n'
            '            a(1,\n              2)\n\n            if b:\n'
            '                c()\n            # last\n        finally:\n'
            '            d()\n', self.apply(source, rule))

    def test_offsets_are_bytes(self):
        self.assertEqual('x = "äöü€"; b()\n', self.apply(
            'x = "äöü€"; a()\n', python('b()', pattern='a()')))

    def test_expanded_fix(self):
        self.assertEqual('f( b)\n', self.apply(
            'f(a, b)\n', python(
                {'template': '', 'expandEnd': {'regex': ','}},
                kind='identifier', regex='^a$')))

    def test_empty_fix_removes_the_line(self):
        self.assertEqual('def f():\n    b()\n', self.apply(
            'def f():\n    a()\n    b()\n', python('', pattern='a()')))

    def test_empty_fix_leaves_the_blank_lines_of_one_side(self):
        self.assertEqual('b()\n\n\nc()\n', self.apply(
            'b()\n\n\na()\n\n\nc()\n', python('', pattern='a()')))
        self.assertEqual('b()\n\nc()\n', self.apply(
            'b()\n\na()\nc()\n', python('', pattern='a()')))

    def test_empty_fix_keeps_what_else_is_on_the_line(self):
        self.assertEqual('(b)\n', self.apply(
            '(a or b)\n', python('b', pattern='a or b')))

    def test_every_match_is_replaced(self):
        self.assertEqual('b(1)\nc()\nb(2)\n', self.apply(
            'a(1)\nc()\na(2)\n', python('b($X)', 2, pattern='a($X)')))

    @ddt.data(('c()\n', 0, ''), ('a()\nc()\na()\n', 2, ' (at line 1, 3)'))
    @ddt.unpack
    def test_count_in_code(self, source, found, told):
        error = self.refuse(source, python('b()', pattern='a()'))
        self.assertIn(f'must match 1 times but matches {found} times{told}.',
                      error)

    @ddt.data(('c\n', 0, ''), ('a\nc\na\n', 2, ' (at line 1, 3)'))
    @ddt.unpack
    def test_count_in_text(self, source, found, told):
        error = self.refuse(source, text(find='a', replace='b'))
        self.assertIn(f'must match 1 times but matches {found} times{told}.',
                      error)

    def test_overlap_in_code(self):
        rule = python('b($X)', 2, pattern='a($X)')
        self.assertIn('two matches overlap at line 1',
                      self.refuse('a(a(1))\n', rule))

    def test_overlap_in_text(self):
        self.assertIn('two matches overlap at line 2', self.refuse(
            'x\naXaXa\n', text(2, find='aXa', replace='b')))

    @ddt.data(('replace', '<b>\n'), ('before', '<ba>\n'), ('after', '<ab>\n'))
    @ddt.unpack
    def test_places_in_text(self, place, expected):
        self.assertEqual(expected, self.apply(
            '<a>\n', text(find='a', **{place: 'b'})))

    def test_text_over_lines(self):
        self.assertEqual('1\nx\n4\n', self.apply(
            '1\n2\n3\n4\n', text(find='2\n3\n', replace='x\n')))

    @ddt.data(('replace', '1\nx\n4\n3\n'), ('before', '1\nx\n2\n3\n4\n3\n'),
              ('after', '1\n2\n3\nx\n4\n3\n'))
    @ddt.unpack
    def test_text_through_another(self, place, expected):
        self.assertEqual(expected, self.apply(
            '1\n2\n3\n4\n3\n', text(find='2\n', through='3\n',
                                    **{place: 'x\n'})))

    def test_text_never_ends(self):
        self.assertIn('matches 0 times', self.refuse(
            '1\n2\n', text(find='1', through='3', replace='x')))

    @ddt.data(python('b(1, \n  2)', pattern='a()'),
              text(find='a()', replace='b \n'))
    def test_white_space(self, rule):
        self.assertIn('leaves white space at the end of the line',
                      self.refuse('a()\n', rule))

    def test_white_space_that_was_there(self):
        self.assertEqual('x \nb\n', self.apply(
            'x \na\n', text(find='a', replace='b')))

    def test_result_is_no_python(self):
        self.assertIn('leaves a file that is no Python: ', self.refuse(
            'a()\n', python('if b(:', pattern='a()')))

    def test_string_that_changes_with_the_indentation(self):
        source = 'if a:\n    x = """1\n    2"""\n'
        rule = python('if b:\n    if $A:\n        $$$B',
                      pattern={'context': 'if $A:\n    $$$B',
                               'selector': 'if_statement'})
        self.assertIn('moves a string of several lines',
                      self.refuse(source, rule))

    def test_docstring_may_be_indented(self):
        source = 'def f():\n    """1\n\n    2"""\n'
        rule = python('if b:\n    def f():\n        $$$B',
                      pattern={'context': 'def f():\n    $$$B',
                               'selector': 'function_definition'})
        self.assertEqual(
            'if b:\n    def f():\n        """1\n\n        2"""\n',
            self.apply(source, rule))

    @ddt.data({'pattrn': 'a()'}, {'pattern': 'a()', 'insid': {}})
    def test_unknown_key_within_the_rule(self, rule):
        self.assertIn('ast-grep refuses it: unknown field',
                      self.refuse('a()\n', python('b()', **rule)))

    def test_ast_grep_missing(self):
        with tempfile.TemporaryDirectory() as empty:
            with mock.patch('sysconfig.get_path', return_value=empty), \
                    mock.patch.dict(os.environ, PATH=empty):
                error = self.assertRaises(
                    errors.ToolError, self.apply, 'a()\n',
                    python('b()', pattern='a()'))
        self.assertIn('ast-grep was not found', str(error))
