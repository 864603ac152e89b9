# SPDX-License-Identifier: Apache-2.0

import configparser
import os
import pathlib
import sysconfig
import unittest
from unittest import mock

from tests.cloud import made_up
from tools.cloud import layout
from tools.cloud.services import ceph
from tools.cloud.services import cinder
from tools.cloud.services import etcd
from tools.cloud import site as sites
from tools.common.errors import ToolError

TREE = pathlib.Path('/the/tree')


class LayoutTest(unittest.TestCase):

    def setUp(self):
        folder = made_up.folder(self)
        self.packages = folder / 'packages'
        self.packages.mkdir()
        for module in ('rados', 'rbd'):
            self.module(module).touch()
        self.enterContext(
            mock.patch.object(ceph, 'PACKAGES', self.packages))
        self.site = sites.Site(folder)
        self.site.make()

    def module(self, name):
        return self.packages / (name + sysconfig.get_config_var('EXT_SUFFIX'))

    def lay_out(self, **settings):
        found, self.cinder = layout.lay_out(
            self.site, TREE, layout.Settings(**settings))
        return found

    def config(self, name):
        found = configparser.ConfigParser(interpolation=None, strict=False)
        with open(self.site.run / 'cinder' / name / 'cinder.conf') as stream:
            found.read_file(stream)
        return found

    def test_who_is_needed_starts_before_who_needs_it(self):
        names = [service.name for service in self.lay_out().services]

        for first, second in (
                ('epmd', 'rabbitmq'), ('mariadb', 'keystone'),
                ('ceph-mon', 'ceph-osd'), ('ceph-osd', 'ceph pool'),
                ('keystone', 'the user and endpoint of cinder'),
                ('the user and endpoint of cinder', 'cinder-api'),
                ('mariadb', 'the database of cinder'),
                ('the database of cinder', 'cinder-api'),
                *((server, f'cinder-volume-{host}')
                  for server in ('rabbitmq', 'etcd', 'ceph pool', 'nfs')
                  for host in ('one', 'two', 'three')),
                ('cinder-volume-three', 'the pools of the scheduler'),
                ('cinder-api', 'the volume types')):
            self.assertLess(names.index(first), names.index(second),
                            f'{first} after {second}')

    def test_each_backend_has_one_volume_type_of_its_name(self):
        made = {'rbd': {'volume_backend_name': 'rbd'}}
        self.lay_out()
        self.cinder._connection = mock.Mock()
        self.cinder.volumes.find_type = made.get
        self.cinder.volumes.create_type = (
            lambda name, extra_specs: made.update({name: extra_specs}))
        cinder.Types(self.cinder).start()

        self.assertEqual({name: {'volume_backend_name': name}
                          for name in ('copying', 'rbd', 'nfs')}, made)

    def test_two_hosts_are_a_cluster_and_the_third_is_alone(self):
        self.lay_out()
        found = {host: self.config(f'cinder-volume-{host}')
                 for host in ('one', 'two', 'three')}

        for host, config in found.items():
            self.assertEqual(host, config['DEFAULT']['host'])
        self.assertEqual(
            [('cloud', 'copying,rbd'), ('cloud', 'copying,rbd'),
             (None, 'nfs')],
            [(config['DEFAULT'].get('cluster'),
              config['DEFAULT']['enabled_backends'])
             for config in found.values()])
        self.assertEqual(
            3, len({config['coordination']['backend_url']
                    for config in found.values()}))
        self.assertEqual(
            1, len({config['copying']['copying_driver_directory']
                    for config in found.values()}))

    def test_the_server_of_the_locks_can_be_another(self):
        other = etcd.Cluster(self.site)
        deployment, _cinder = layout.lay_out(self.site, TREE, server=other)
        config = self.config('cinder-volume-two')

        self.assertIs(other, deployment['etcd'])
        self.assertEqual(other.url(2), config['coordination']['backend_url'])

    def test_locks_can_be_in_redis(self):
        deployment = self.lay_out(coordination='redis')
        names = [service.name for service in deployment.services]

        self.assertNotIn('etcd', names)
        self.assertLess(names.index('redis'),
                        names.index('cinder-volume-one'))
        self.assertEqual(
            {(deployment['redis'].url(1), 'cloud')},
            {(config['coordination']['backend_url'],
              config['DEFAULT']['cluster']) for config in map(self.config, (
                  'cinder-volume-one', 'cinder-volume-two'))})

    def test_a_service_becomes_one_of_another_tree(self):
        agent = self.lay_out(options=(('new', 'a', '1'),))[
            'cinder-volume-two']
        url = self.config('cinder-volume-two')['coordination']['backend_url']
        other = pathlib.Path('/another/tree')
        agent.become(other)
        config = self.config('cinder-volume-two')

        self.assertEqual(str(other), agent._environment['PYTHONPATH'].split(
            os.pathsep)[0])
        self.assertIn(str(other), config['DEFAULT']['api_paste_config'])
        self.assertEqual(('two', url), (
            config['DEFAULT']['host'], config['coordination']['backend_url']))
        self.assertEqual('1', config['new']['a'])

    def test_options_come_last(self):
        self.lay_out(options=(('rbd', 'volume_driver', 'mine.Driver'),
                              ('new', 'volume_backend_name', 'new')))
        text = (self.site.run / 'cinder/cinder-volume-one/cinder.conf'
                ).read_text()

        self.assertTrue(text.endswith(
            '\n[rbd]\nvolume_driver = mine.Driver\n'
            '\n[new]\nvolume_backend_name = new\n'))

    def test_a_cloud_with_file_locks_has_no_cluster(self):
        deployment = self.lay_out(coordination='file')

        self.assertNotIn('etcd', [
            service.name for service in deployment.services])
        self.assertNotIn('cluster', self.config('cinder-volume-one')[
            'DEFAULT'])
        self.assertEqual(
            ['cinder-volume-one', 'cinder-volume-three'],
            [service.name for service in deployment.services
             if service.name.startswith('cinder-volume')])
        self.assertRegex(self.config('cinder-volume-one')['coordination'][
            'backend_url'], '^file:///')

    def test_services_run_in_the_mode_that_was_asked_for(self):
        for threads in (False, True):
            self.site.make()
            for service in self.lay_out(threads=threads).services:
                if service.name.startswith('cinder-'):
                    self.assertEqual(
                        str(int(threads)), service._environment[
                            'OS_CINDER_DISABLE_EVENTLET_PATCHING'])

    def test_latency_is_cinders_alone_and_has_rbd_copy(self):
        for latency, flatten in ((0, False), (0.5, True)):
            self.site.make()
            deployment = self.lay_out(latency=latency)
            found = configparser.ConfigParser()
            found.read(deployment['ceph-mon']._ceph.config)
            delayed = [section for section in found.sections()
                       if 'ms inject delay max' in found[section]]

            self.assertEqual(['client.cinder'] if flatten else [], delayed)
            rbd = self.config('cinder-volume-one')['rbd']
            self.assertEqual(flatten, rbd.getboolean(
                'rbd_flatten_volume_from_snapshot'))
            self.assertEqual('0' if flatten else None,
                             rbd.get('rbd_max_clone_depth'))
            self.assertEqual('cinder', rbd['rbd_user'])

    def test_keystone_finds_all_keys_below_its_own_directory(self):
        self.lay_out()
        found = configparser.ConfigParser()
        found.read(self.site.run / 'keystone/keystone.conf')

        self.assertEqual(
            {str(self.site.run / 'keystone/keys')},
            {found[section]['key_repository']
             for section in ('fernet_tokens', 'fernet_receipts')})

    def test_every_backend_has_a_section(self):
        self.lay_out()
        config = self.config('cinder-volume-one')

        for backend in ('copying', 'rbd', 'nfs'):
            self.assertEqual(backend,
                             config[backend]['volume_backend_name'])
            self.assertIn('volume_driver', config[backend])

    def test_services_run_the_tree_before_what_is_installed(self):
        for service in self.lay_out().services:
            if service.name.startswith('cinder-'):
                self.assertEqual(
                    str(TREE), service._environment['PYTHONPATH'].split(
                        os.pathsep)[0])

    def test_each_password_is_one_users(self):
        self.lay_out()
        text = (self.site.run / 'cinder/cinder-api/cinder.conf').read_text()

        for user in ('cinder', 'cinder-user', 'rabbitmq'):
            self.assertEqual(1, text.count(self.site.password(user)), user)
        self.assertNotIn(self.site.password('admin'), text)
        self.assertNotIn(self.site.password('keystone'), text)

    def test_no_command_line_tells_a_password(self):
        for service in self.lay_out(coordination='redis').services:
            for password in self.site._passwords.values():
                self.assertNotIn(password,
                                 ' '.join(getattr(service, 'command', ())))

    def test_absent_bindings_of_ceph_are_one_sentence(self):
        self.module('rbd').unlink()

        with self.assertRaisesRegex(
                ToolError, f'found no rbd.* in {self.packages}: apt-get '
                           'install python3-rbd'):
            self.lay_out()

    def test_bindings_are_all_that_services_get_of_debians_modules(self):
        (self.packages / 'requests.py').touch()
        self.lay_out()

        self.assertEqual({self.module('rados').name, self.module('rbd').name},
                         set(os.listdir(self.site.run / 'python')))
