# SPDX-License-Identifier: Apache-2.0

"""What files repeat of the facts about releases, each once broken."""

import re
import shutil

import ddt
import testtools

from tests import temporary
from tools.checks import facts
from tools.common.paths import ROOT
from tools.series import projects
from tools.series import releases

LISTED = releases.load(ROOT)
DEFAULT, ONE, OTHER, *_ = LISTED
OLDER = [version for version in LISTED if version != DEFAULT]
NAMES = ', '.join(f'release-{version}' for version in OLDER)
LIST = projects.CINDER.releases
COPIED = ('tox.ini', '.zuul.yaml', 'requirements', LIST)
TABLE = 'README.md, table of releases'
PLAN = 'tools/checks/plan.py'


def swap(text):
    """Exchange the first two of the older releases."""
    return text.replace(ONE, '?').replace(OTHER, ONE).replace('?', OTHER)


def listing(template, separator=', '):
    """Write a template out for each of the older releases."""
    return separator.join(template.format(version) for version in OLDER)


@ddt.ddt
class FactsTest(testtools.TestCase):

    def setUp(self):
        super().setUp()
        self.root = temporary.folder(self)
        for path in COPIED:
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            copy = (shutil.copytree if (ROOT / path).is_dir()
                    else shutil.copyfile)
            copy(ROOT / path, self.root / path)
        (self.root / 'README.md').write_text('\n'.join([
            f'CINDER_BRANCH={DEFAULT}', '', '| release | tests |', '|---|---|',
            *(f'| {version} | {release.tests} |'
              for version, release in LISTED.items()), '']))
        plan = self.root / PLAN
        plan.parent.mkdir(parents=True)
        plan.write_text(f"[['release-{OLDER[-1]}']]")

    def problems(self):
        return facts.problems(self.root)

    def replace(self, path, old, new):
        """Change a text that must be there, once."""
        text = (self.root / path).read_text()
        self.assertIn(old, text)
        (self.root / path).write_text(text.replace(old, new, 1))

    def assertTold(self, where, expected, found):
        self.assertEqual([f'{where}: expected {expected}, found {found}.'],
                         self.problems())

    def test_the_facts_agree(self):
        self.assertEqual([], self.problems())

    def test_the_facts_of_this_repository_agree(self):
        self.assertEqual([], facts.problems(ROOT))

    def test_environments_in_another_order_are_told(self):
        names = ','.join(OLDER)
        self.replace('tox.ini', f'release-{{{names}}}',
                     f'release-{{{swap(names)}}}')
        self.assertTold('tox.ini, environments of releases', NAMES,
                        swap(NAMES))

    @ddt.data(('deps', '-r requirements/{}.txt'), ('set_env', 'CINDER = {}'))
    @ddt.unpack
    def test_what_an_environment_takes_of_another_release_is_told(
            self, key, value):
        line = f'{ONE}: {value}'
        self.replace('tox.ini', line.format(ONE), line.format(OTHER))
        expected = listing('{0}: ' + value.replace('{}', '{0}'))
        self.assertTold(
            f'tox.ini, [testenv:release-{{{",".join(OLDER)}}}] {key}',
            expected, expected.replace(line.format(ONE), line.format(OTHER)))

    @ddt.data(('[testenv]', 'deps = -r requirements/{}.txt'),
              ('[testenv:docs]', '\n  -r requirements/{}.txt'),
              ('[testenv:measure-operations]', '--patched build/cinder-{}'))
    @ddt.unpack
    def test_an_environment_that_takes_no_default_is_told(self, where, text):
        self.replace('tox.ini', text.format(DEFAULT), text.format(ONE))
        self.assertTold(f'tox.ini, {where}', DEFAULT, ONE)

    @ddt.data('name: enhance-locks-release-{}', 'tox_envlist: release-{}')
    def test_a_job_of_another_release_is_told(self, text):
        self.replace('.zuul.yaml', text.format(ONE), text.format('1.0.0'))
        jobs = listing('enhance-locks-release-{0} of release-{0}')
        text = {'n': 'locks-release-{}', 't': 'of release-{}'}[text[0]]
        self.assertTold('.zuul.yaml, jobs of releases', jobs, jobs.replace(
            text.format(ONE), text.format('1.0.0')))

    @ddt.data('in', 'txt')
    def test_missing_requirements_are_told(self, ending):
        (self.root / f'requirements/{ONE}.{ending}').unlink()
        names = sorted(LISTED)
        self.assertTold(
            f'requirements/*.{ending} of releases', ', '.join(names),
            ', '.join(name for name in names if name != ONE))

    def test_requirements_of_no_release_are_told(self):
        (self.root / 'requirements/1.0.0.txt').touch()
        names = ', '.join(sorted(LISTED))
        self.assertTold('requirements/*.txt of releases', names,
                        f'1.0.0, {names}')

    @ddt.data('cinder=={}', '-r ../build/cinder-{}/test-requirements.txt')
    def test_requirements_of_another_release_are_told(self, line):
        path = f'requirements/{ONE}.in'
        self.replace(path, line.format(ONE), line.format(OTHER))
        expected = (f'cinder=={ONE}, '
                    f'-r ../build/cinder-{ONE}/test-requirements.txt')
        self.assertTold(path, expected, expected.replace(
            line.format(ONE), line.format(OTHER)))

    @ddt.data('-c {}.txt', '-r ../build/cinder-{}/doc/requirements.txt')
    def test_further_requirements_are_for_the_default(self, line):
        path = 'requirements/docs.in'
        self.replace(path, line.format(DEFAULT), line.format(ONE))
        self.assertTold(path, DEFAULT, ONE)

    @ddt.data((f'cinder=={OTHER}\n', f'cinder=={OTHER}'), ('', 'nothing'))
    @ddt.unpack
    def test_pins_of_another_release_are_told(self, line, found):
        path = f'requirements/{ONE}.txt'
        self.replace(path, f'cinder=={ONE}\n', line)
        self.assertTold(path, f'cinder=={ONE}', found)

    def test_a_release_that_the_table_does_not_have_is_told(self):
        self.replace('README.md', f'| {ONE} | {LISTED[ONE].tests} |\n', '')
        names = ', '.join(LISTED)
        self.assertTold(TABLE, names, names.replace(f'{ONE}, ', ''))

    def test_another_account_of_the_tests_is_told(self):
        tests = LISTED[ONE].tests
        self.replace('README.md', f'| {ONE} | {tests} |', f'| {ONE} | all |')
        self.assertTold(f'{TABLE}, {ONE}', tests, 'all')

    def test_releases_may_share_a_row(self):
        self.replace(
            'README.md', f'| {ONE} | {LISTED[ONE].tests} |\n| {OTHER} |',
            f'| {ONE}, {OTHER} |')
        self.assertEqual([], self.problems())

    def test_an_example_of_another_release_is_told(self):
        self.replace('README.md', f'CINDER_BRANCH={DEFAULT}',
                     f'CINDER_BRANCH={ONE}')
        self.assertTold('README.md, an example', DEFAULT, ONE)

    def test_a_check_on_a_release_that_is_not_listed_is_told(self):
        self.replace(PLAN, OLDER[-1], '1.0.0')
        self.assertTold(PLAN, f'a release of {LIST}', '1.0.0')

    def test_a_release_that_leaves_the_list_has_to_leave_every_file(self):
        text = (self.root / LIST).read_text()
        (self.root / LIST).write_text(
            text.partition(f'\n- version: {OLDER[-1]}\n')[0])
        self.assertEqual(
            {'tox.ini', '.zuul.yaml', 'requirements/*.in of releases',
             'requirements/*.txt of releases', 'README.md', PLAN},
            {re.split('[,:]', line)[0] for line in self.problems()})
