#    Licensed under the Apache License, Version 2.0 (the "License"); you may
#    not use this file except in compliance with the License. You may obtain
#    a copy of the License at
#
#         http://www.apache.org/licenses/LICENSE-2.0
#
#    Unless required by applicable law or agreed to in writing, software
#    distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
#    WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
#    License for the specific language governing permissions and limitations
#    under the License.

"""Drivers and the table of parallel creates in the documentation agree."""

import os
import pathlib
import re

from oslo_utils import importutils

import cinder
from cinder.tests.unit import test
from cinder.volume import driver
from cinder.volume import drivers

TABLE = pathlib.Path(os.path.dirname(cinder.__file__),
                     '../doc/source/contributor/parallel_creates.inc')


def read_table():
    """Read what the table says.

    :returns: The path of a driver below cinder.volume.drivers -> whether its
        creates from one snapshot, and from one volume, run in parallel in all
        configurations: Yes, No or Only some.
    :rtype: dict[str, tuple[str, str]]
    """
    said = {}
    for row in TABLE.read_text().split('\n   * - ')[2:]:
        names, *answers = row.split('\n     - ')
        for name in re.findall('``(.+)``', names):
            said[name] = tuple(re.match('Yes|No|Only', answer).group()
                               for answer in answers)
    return said


def find_drivers():
    """Find all drivers by their code, which also finds what cannot be loaded.

    :returns: Their paths below cinder.volume.drivers.
    :rtype: set[str]
    """
    folder = pathlib.Path(os.path.dirname(drivers.__file__))
    found = set()
    for path in folder.rglob('*.py'):
        module = '.'.join(path.relative_to(folder).with_suffix('').parts)
        for name in re.findall(r'^@interface\.volumedriver\n(?:@.+\n)*'
                               r'class (\w+)', path.read_text(), re.MULTILINE):
            found.add('%s.%s' % (module, name))
    return found


class ParallelCreatesTestCase(test.TestCase):

    def test_each_driver_is_in_the_table(self):
        self.assertEqual(set(), find_drivers() - set(read_table()),
                         'Review these drivers and add them to the table')

    def test_each_driver_in_the_table_exists(self):
        self.assertEqual(set(), set(read_table()) - find_drivers(),
                         'Remove these drivers from the table')

    def test_each_driver_says_what_the_table_says(self):
        differ = []
        for name, (snapshot, volume) in sorted(read_table().items()):
            try:
                cls = importutils.import_class('cinder.volume.drivers.' + name)
            except ImportError:
                continue  # The library of the driver is missing here.
            for attribute, said in (
                    ('PARALLEL_CREATES_FROM_SNAPSHOT', snapshot),
                    ('PARALLEL_CREATES_FROM_VOLUME', volume)):
                if getattr(cls, attribute) != (said == 'Yes'):
                    differ.append('%s: %s is %s, the table says %s' % (
                        name, attribute, getattr(cls, attribute), said))
        self.assertEqual([], differ)

    def test_a_driver_that_says_nothing_takes_turns(self):

        class Driver(driver.VolumeDriver):
            """A driver from out of the tree."""

        self.assertFalse(Driver.PARALLEL_CREATES_FROM_SNAPSHOT)
        self.assertFalse(Driver.PARALLEL_CREATES_FROM_VOLUME)
