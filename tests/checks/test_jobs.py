# SPDX-License-Identifier: Apache-2.0

"""The jobs of .zuul.yaml and the environments of tox.ini belong together."""

import re

from ruamel import yaml
import testtools

from tools.checks import facts
from tools.common.paths import ROOT
from tools.series import commits
from tools.series import projects

NOT_FOR_CI = {'cloud', 'cloud-faults', 'cloud-storm',
              'cloud-upgrade', 'pins', 'upstream-core'}
"""They write files to be committed, run what other jobs run too, or, as
cloud, start a dozen servers of their own as root."""


def environments():
    return set(facts.environments(facts.read_tox(ROOT)))


class JobsTest(testtools.TestCase):

    def setUp(self):
        super().setUp()
        items = yaml.YAML(typ='safe').load(ROOT / '.zuul.yaml')
        self.jobs = {item['job']['name']: item['job']
                     for item in items if 'job' in item}
        self.project, = [item['project'] for item in items
                         if 'project' in item]

    def named(self):
        """List the environments that the jobs of tox name."""
        return [name for job in self.jobs.values()
                if job['parent'] == 'enhance-locks-tox'
                for name in job['vars']['tox_envlist'].split(',')]

    def test_names_are_expanded_as_tox_does(self):
        self.assertEqual(['a', 'a-b', 'ac', 'ac-b'],
                         facts.expand('a{,c}{,-b}'))

    def test_jobs_name_environments_that_exist(self):
        self.assertEqual(set(), set(self.named()) - environments())

    def test_each_environment_has_one_job(self):
        named = self.named()
        wanted = environments() - NOT_FOR_CI
        self.assertEqual(
            {}, {name: named.count(name) for name in wanted | set(named)
                 if named.count(name) != (name in wanted)})

    def test_what_is_not_for_ci_exists(self):
        self.assertEqual(set(), NOT_FOR_CI - environments())

    def test_each_job_runs_in_check_and_gate(self):
        jobs = sorted(name for name, job in self.jobs.items()
                      if not job.get('abstract'))
        for pipeline in ('check', 'gate'):
            self.assertEqual(jobs, sorted(self.project[pipeline]['jobs']))

    def test_devstack_jobs_deploy_the_series(self):
        devstack = {name: self.with_parents(job)
                    for name, job in self.jobs.items() if 'devstack' in name}
        self.assertEqual(3, len(devstack))
        for name, variables in devstack.items():
            self.assertIn('enhance-locks', variables['devstack_plugins'], name)
            self.assertIs(True, variables['devstack_services']['etcd3'], name)

    def with_parents(self, job):
        parent = self.jobs.get(job['parent'])
        return (self.with_parents(parent) if parent else {}) | job['vars']

    def test_what_is_deployed_is_relevant_to_devstack_jobs(self):
        deployed = {'requirements/build.in'}
        for folder in ('devstack', 'tools/common', 'tools/series'):
            deployed.update(commits.files_below(ROOT, folder))
        for project in projects.here(ROOT):
            deployed.add(project.order)
            for commit in commits.load(ROOT, project):
                deployed.add(commit.file)
                deployed.update(project.place_of(path) for path in commit.adds
                                if path.startswith(f'{project.name}/') and
                                '/tests/' not in path)
        self.assertGreater(len(deployed), 30)
        for pattern in self.irrelevant():
            self.assertEqual([], sorted(filter(pattern.search, deployed)))

    def test_what_is_irrelevant_to_devstack_jobs_exists(self):
        files = [file.relative_to(ROOT).as_posix()
                 for top in ROOT.iterdir()
                 if top.name not in ('.git', '.tox', 'build')
                 for file in (top, *top.rglob('*')) if file.is_file()]
        for pattern in self.irrelevant():
            self.assertTrue(any(filter(pattern.search, files)), pattern)

    def irrelevant(self):
        patterns = {pattern for job in self.jobs.values()
                    for pattern in job.get('irrelevant-files', [])}
        self.assertNotEqual(set(), patterns)
        return [re.compile(pattern) for pattern in patterns]
