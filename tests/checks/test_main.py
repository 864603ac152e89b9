# SPDX-License-Identifier: Apache-2.0

"""The arguments of the checks, as tox.ini gives them."""

import shlex

import ddt
import testtools

from tools.checks import __main__ as main
from tools.checks import facts
from tools.common.paths import ROOT


def commands():
    """Find the commands of tox.ini that take a pattern.

    :returns: what follows ``python -m tools.checks`` in each, with native
        threads where there are such
    :rtype: list[str]
    """
    tox = facts.read_tox(ROOT)
    found = [tox[section].get('commands', '') for section in tox.sections()]
    return sorted({
        command.partition('tools.checks ')[2].replace('{posargs}', "'a|b'")
        .replace('{env:THREADS:}', '--threads')
        .replace('{env:PART:}', '--threads')
        for command in '\n'.join(found).split('\n')
        if 'tools.checks ' in command and '{posargs}' in command})


@ddt.ddt
class ArgumentsTest(testtools.TestCase):

    def test_there_are_some(self):
        self.assertIn('unit --threads \'a|b\'', commands())

    @ddt.data(*commands())
    def test_a_pattern_is_taken_behind_an_option(self, command):
        self.assertEqual('a|b', main.parse(shlex.split(command)).pattern)
