# SPDX-License-Identifier: Apache-2.0

import os
import pathlib
import socket
import stat
import sys
import unittest
from unittest import mock

import jinja2

from tests.cloud import made_up
from tools.cloud import site as sites
from tools.common.errors import ToolError


class SiteTest(unittest.TestCase):

    def setUp(self):
        self.folder = made_up.folder(self)
        self.site = sites.Site(self.folder)
        self.site.make()

    def test_no_socket_fits_below_a_long_path(self):
        path = self.folder / ('x' * 80)

        with self.assertRaisesRegex(
                ToolError, 'expected a directory with a path of at most 70 '
                           rf'bytes, .*, found \d+ in {path}/run'):
            sites.Site(path)

    def test_spaces_are_refused(self):
        with self.assertRaisesRegex(ToolError, 'without spaces .* found'):
            sites.Site(self.folder / 'my cloud')

    def test_nothing_of_an_earlier_cloud_is_left(self):
        for folder in (self.site.run, self.site.logs):
            (folder / 'old').touch()

        sites.Site(self.folder).make()

        self.assertEqual([], [*self.site.run.iterdir(),
                              *self.site.logs.iterdir()])

    def test_logs_outlive_the_cloud(self):
        self.site.log('etcd').touch()
        self.site.folder('etcd', 'data')

        self.site.remove()

        self.assertEqual([self.site.logs], list(self.folder.iterdir()))
        self.assertTrue(self.site.log('etcd').exists())

    def test_nobody_else_can_look_inside(self):
        self.assertEqual(0o700, stat.S_IMODE(self.site.run.stat().st_mode))

    def test_ports_are_free_and_given_once(self):
        rows = [range(first, first + 3)
                for first in (self.site.port(3) for _number in range(50))]

        self.assertEqual(150, len({port for row in rows for port in row}))
        for port in rows[0]:
            socket.create_server((sites.ADDRESS, port)).close()

    def test_a_port_in_use_is_not_free(self):
        with socket.create_server((sites.ADDRESS, 0)) as server:
            self.assertFalse(sites._is_free(server.getsockname()[1]))

    def test_each_user_has_a_password(self):
        self.assertEqual(self.site.password('a'), self.site.password('a'))
        self.assertNotEqual(self.site.password('a'), self.site.password('b'))
        self.assertNotEqual(self.site.password('a'),
                            sites.Site(self.folder).password('a'))

    def test_a_password_in_a_log_is_found(self):
        self.site.password('a')
        self.assertEqual([], self.site.leaks())

        self.site.log('etcd').write_text(
            f'redis://:{self.site.password("b")}@host')

        self.assertEqual([('etcd.log', 'b')], self.site.leaks())

    def test_a_configuration_is_for_nobody_else(self):
        path = self.site.render('keystone.conf', self.site.run / 'a.conf',
                                database='mysql://here', folder='there')

        self.assertIn('connection = mysql://here\n', path.read_text())
        self.assertEqual(0o600, stat.S_IMODE(path.stat().st_mode))

    def test_no_value_is_forgotten(self):
        with self.assertRaises(jinja2.UndefinedError):
            self.site.render('keystone.conf', self.site.run / 'a.conf')

    def test_programs_are_those_beside_this_python(self):
        with mock.patch.dict(os.environ, OS_PASSWORD='mine'):
            found = self.site.environment(NUMBER=1)

        self.assertEqual(str(pathlib.Path(sys.executable).parent),
                         found['PATH'].split(':')[0])
        self.assertEqual('1', found['NUMBER'])
        self.assertNotIn('OS_PASSWORD', found)
        self.assertTrue(pathlib.Path(found['TMPDIR']).is_relative_to(
            self.site.run))
