# SPDX-License-Identifier: Apache-2.0

"""The plugin for DevStack, sourced phase by phase, with real clones."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import testtools

from tests import temporary
from tools.common.paths import ROOT
from tools.series import apply
from tools.series import commits
from tools.series import git
from tools.series import projects
from tools.series import release
from tools.series import releases
from tools.series import tree

PHASES = ['stack pre-install', 'stack install', 'stack post-config',
          'stack extra', 'stack test-config']
COMMITS = 3
"""How many commits of the series are enough here; "build" makes them all."""
# What the plugin may set: its own, and what Bash changes with every command.
MAY_CHANGE = re.compile(
    'ENHANCE_LOCKS_DIR|ENHANCE_LOCKS_VENV|_XTRACE_ENHANCE_LOCKS|_|'
    'BASH.*|EPOCH.*|FUNCNAME|LINENO|PIPESTATUS|S?RANDOM|SECONDS')
# A virtual environment without the wait: the requirements are here already,
# and a wheel is an empty file.
VENV = '''\
#!/bin/sh -e
mkdir -p "$1/bin"
cat > "$1/bin/python" << 'END'
#!/bin/sh
case "$*" in
    "-m tools.series wheel tooz") mkdir -p dist; touch dist/{wheel} ;;
    *) exec {python} "$@" ;;
esac
END
printf '#!/bin/sh\\necho "$@" >> {log}\\n' > "$1/bin/pip"
chmod +x "$1/bin/python" "$1/bin/pip"
'''
WHEEL = 'tooz-9.1.0+enhancelocks.6-py3-none-any.whl'
EDIT_CONSTRAINTS = '''\
#!/bin/sh
sed -i "/^$3===/d" "$1"
'''


def _lay_out(path, project):
    """Make a repository of a project as released, on the branch master."""
    sdist = release.fetch(
        releases.find(ROOT, releases.default(ROOT, project), project),
        ROOT / tree.FOLDER / 'cache')
    repository, _ = tree.lay_out(path, ROOT, [], sdist)
    repository.run('branch', '-m', 'master')
    return path


class WholePluginTest(testtools.TestCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = pathlib.Path(
            cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.released = {project: _lay_out(folder / project.name, project)
                        for project in projects.PROJECTS.values()}
        cls.series = commits.load(ROOT)

    def setUp(self):
        super().setUp()
        self.temp = temporary.folder(self).resolve()
        self.dest = self.temp / 'stack'
        self.dest.mkdir()
        self.plugin = self.dest / 'enhance-locks'
        shutil.copytree(ROOT, self.plugin, ignore=shutil.ignore_patterns(
            '.*', 'build', 'dist', '__pycache__'))
        (self.plugin / projects.CINDER.order).write_text('\n'.join(
            ['[topic]', *(commit.name for commit in self.series[:COMMITS])]))
        for commit in self.series[COMMITS:]:
            (self.plugin / commit.file).unlink()
        self.constraints = (
            self.dest / 'requirements/upper-constraints.txt')
        edit = self.dest / 'requirements/.venv/bin/edit-constraints'
        edit.parent.mkdir(parents=True)
        edit.write_text(EDIT_CONSTRAINTS)
        edit.chmod(0o755)
        self.constraints.write_text('pbr===7.1.3\ntooz===9.1.0\n')
        self.cinder = self.dest / 'cinder'
        self.venv = self.dest / 'enhance-locks-venv'
        self.pip_log = self.temp / 'pip.log'
        self.make_venv = self.temp / 'make-venv'
        self.make_venv.write_text(
            VENV.format(python=sys.executable, log=self.pip_log,
                        wheel=WHEEL))
        self.make_venv.chmod(0o755)
        self.home = self.temp / 'home'
        self.home.mkdir()
        self.state = self.temp / 'state'
        self.state.mkdir()
        self.upstream = self.released[projects.CINDER]

    def git(self, *arguments, cwd=None):
        return git.Git(cwd or self.cinder, ours=True).line(
            *arguments, env=git.identity(apply.BASE_TIME))

    def subjects(self, clone=None):
        return self.git('log', '--reverse', '--format=%s',
                        cwd=clone).splitlines()

    def clone(self, project, target):
        self.git('clone', '-q', str(self.released[project]), str(target),
                 cwd=self.temp)

    def change_upstream(self, path, text):
        if self.upstream == self.released[projects.CINDER]:
            self.clone(projects.CINDER, self.temp / 'upstream')
            self.upstream = self.temp / 'upstream'
        (self.upstream / path).write_text(text)
        self.git('commit', '-q', '-a', '-m', 'Change', cwd=self.upstream)

    def devstack(self, mode, **settings):
        """Run a script of DevStack as a user whom git does not know."""
        return subprocess.run(
            ['bash', pathlib.Path(__file__).with_name('devstack.sh'), mode],
            env={'PATH': os.environ['PATH'], 'HOME': str(self.home),
                 'GIT_CONFIG_NOSYSTEM': '1', 'DEST': str(self.dest),
                 'STATE': str(self.state),
                 'CINDER_REPO': str(self.upstream), 'OFFLINE': 'False',
                 'ENABLED_SERVICES': 'cinder,etcd3', 'RECLONE': 'False',
                 'LIBS_FROM_GIT': '',
                 'VIRTUALENV_CMD': str(self.make_venv)} | settings,
            stdin=subprocess.DEVNULL, capture_output=True, text=True)

    def succeed(self, mode, **settings):
        done = self.devstack(mode, **settings)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        self.assert_shell_is_as_before(done.stdout)
        return done

    def die(self, **settings):
        """See that stacking stops in the phase that applies the series."""
        done = self.devstack('stack', **settings)
        self.assertEqual(1, done.returncode, done.stdout + done.stderr)
        self.assertIn('AFTER stack pre-install', done.stdout)
        self.assertNotIn('AFTER stack install', done.stdout)
        self.assertNotIn('Traceback', done.stderr)
        return done.stderr

    def assert_shell_is_as_before(self, printed):
        changed = [line.removeprefix('SHELL ').strip()
                   for line in printed.splitlines()
                   if line.startswith('SHELL ')]
        declared = re.compile(r'declare \S+ (\w+)')
        self.assertEqual([], [
            line for line in changed
            if not (found := declared.match(line)) or
            not MAY_CHANGE.fullmatch(found[1])])

    def installed(self, done):
        """Read what DevStack was told to install."""
        return [line for line in done.stdout.splitlines()
                if line.startswith('PIP_INSTALL')]

    def after(self, done):
        """Read which commit of Cinder each phase left."""
        phases = [line.removeprefix('AFTER ').split(':')
                  for line in done.stdout.splitlines()
                  if line.startswith('AFTER ')]
        self.assertEqual(PHASES, [name for name, _ in phases])
        return [commit.strip() for _, commit in phases]

    def test_every_phase_again_and_again(self):
        wanted = [commit.subject for commit in self.series[:COMMITS]]
        done = self.succeed('stack')
        head = self.git('rev-parse', 'HEAD')
        self.assertEqual(['', head, head, head, head], self.after(done))
        self.assertIn('PLUGIN enhance-locks', done.stdout)
        self.assertEqual(wanted, self.subjects()[1:])
        self.assertEqual('', self.git('status', '--porcelain'))
        self.assertEqual({git.IDENTITY[1]}, set(self.git(
            'log', '--format=%ae%n%ce', 'origin/master..').split()))
        self.assertEqual(
            f'install -r {self.plugin}/requirements/build.in build\n',
            self.pip_log.read_text())
        self.assertEqual(['cinder', 'enhance-locks', 'enhance-locks-venv',
                          'requirements'], sorted(os.listdir(self.dest)))
        self.assertEqual([], os.listdir(self.home))

        self.succeed('unstack')
        mine = self.cinder / 'README.rst'
        mine.write_text('A change of the user.')
        done = self.succeed('stack', OFFLINE='True')
        self.assertEqual([head] * 5, self.after(done))
        self.assertIn('cinder is up to date', done.stderr)
        self.assertEqual('A change of the user.', mine.read_text())
        self.assertEqual(1, len(self.pip_log.read_text().splitlines()))

        self.succeed('unstack')
        self.git('checkout', '-q', 'README.rst')
        self.change_upstream('README.rst', 'A newer Cinder.')
        first = self.plugin / self.series[0].file
        first.write_text(first.read_text().replace(wanted[0], 'Newer', 1))
        self.succeed('stack', RECLONE='True')
        self.assertEqual('A newer Cinder.', mine.read_text())
        self.assertEqual(['Change', 'Newer', *wanted[1:]],
                         self.subjects()[1:])

        head = self.git('rev-parse', 'HEAD')
        self.succeed('unstack')
        self.succeed('clean')
        self.assertEqual(head, self.git('rev-parse', 'HEAD'))
        self.assertEqual(['cinder', 'enhance-locks', 'requirements'],
                         sorted(os.listdir(self.dest)))

    def test_tooz_is_installed_anew_each_time(self):
        dist = self.plugin / 'dist'
        dist.mkdir()
        kept = dist / 'cinder-29.0.0-py3-none-any.whl'
        kept.touch()
        (dist / WHEEL.replace('locks.6', 'locks.5')).touch()
        wanted = [f'PIP_INSTALL --no-deps --force-reinstall {dist}/{WHEEL}']
        for again in (False, True):
            done = self.succeed('stack')
            self.assertEqual(wanted, self.installed(done), again)
            self.assertEqual([kept.name, WHEEL], sorted(os.listdir(dist)))
            self.assertEqual('pbr===7.1.3\n', self.constraints.read_text())

        self.assertEqual([], self.installed(
            self.succeed('stack', OFFLINE='True')))
        self.assertEqual([kept.name, WHEEL], sorted(os.listdir(dist)))

    def test_a_clone_of_tooz_gets_the_series(self):
        clone = self.dest / 'tooz'
        self.clone(projects.TOOZ, clone)
        wanted = [commit.subject
                  for commit in commits.load(ROOT, projects.TOOZ)]
        for again in (False, True):
            done = self.succeed('stack', LIBS_FROM_GIT='os-brick,tooz')
            self.assertEqual(wanted, self.subjects(clone)[1:], again)
            self.assertEqual([], self.installed(done))
        self.assertIn('tooz is up to date', done.stderr)
        self.assertIn('tooz===', self.constraints.read_text())

    def test_tooz_cannot_be_built(self):
        self.make_venv.write_text(
            self.make_venv.read_text().replace('touch', 'false'))
        self.assertIn('DIED enhance-locks: tooz cannot be built', self.die())

    def test_tooz_cannot_be_installed(self):
        edit = self.dest / 'requirements/.venv/bin/edit-constraints'
        edit.write_text('#!/bin/sh\n')
        self.assertIn('DIED enhance-locks: tooz cannot be installed',
                      self.die())

    def test_without_cinder(self):
        done = self.succeed('stack', ENABLED_SERVICES='key,n-cpu')
        self.assertIn('SUMMARY enhance-locks has nothing to do', done.stdout)
        self.assertEqual(['enhance-locks', 'requirements'],
                         sorted(os.listdir(self.dest)))

    def test_another_project(self):
        self.change_upstream('setup.cfg', '[metadata]\nname = nova\n')
        told = self.die()
        self.assertIn(f'error: {self.cinder} is a git checkout, but not of '
                      f'Cinder.', told)
        self.assertRegex(told, 'DIED enhance-locks: the series cannot be put '
                               'on cinder .* the error above tells why')

    def test_cinder_that_the_series_does_not_fit(self):
        self.change_upstream('cinder/coordination.py', 'LOCKS = None\n')
        told = self.die()
        self.assertRegex(told, f'error: {self.cinder}: commits/cinder/.*: '
                               f'cinder/coordination.py: rule .* must match')
        self.assertRegex(told, f'DIED enhance-locks: .* upstream-1-g.* in '
                               f'{self.cinder}; .*README.md which releases')
        self.assertEqual('', self.git('branch', '--show-current'))
        self.assertEqual('', self.git('status', '--porcelain'))

    def test_no_virtual_environment(self):
        told = self.die(VIRTUALENV_CMD='false')
        self.assertIn(f'DIED enhance-locks: {self.venv} cannot be made.', told)

    def test_requirements_cannot_be_installed(self):
        self.pip_log.mkdir()
        told = self.die()
        self.assertIn('DIED enhance-locks: requirements/build.in cannot be '
                      'installed', told)

    def test_python_is_too_old(self):
        old = self.temp / 'old-python'
        old.write_text(f'#!{sys.executable}\nimport sys\n'
                       'sys.version_info = (3, 10)\nexec(sys.argv[2])\n')
        old.chmod(0o755)
        self.make_venv.write_text(self.make_venv.read_text().replace(
            sys.executable, str(old)))
        told = self.die()
        self.assertIn('DIED enhance-locks:', told)
        self.assertIn('must have Python 3.11 or newer', told)
