# SPDX-License-Identifier: Apache-2.0

"""tooz's own suite on the tree with the series, on the drivers that share.

pifpaf starts the servers, as in tooz's jobs.  The suite runs with native
threads or with eventlet's monkey patching, which Cinder still has.  A test of
shared locks must not be skipped there.
"""

import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile

from tools.checks import results
from tools.checks import runner
from tools.common import errors

# The tests of kubernetes need a client of it, and no server of another driver.
MODULES = re.compile(r'tooz/tests/(\w+/)*test_(?!kubernetes)\w+\.py')
# What a driver's locks do when its server fails; these start servers.
OF_DRIVER = re.compile(r'tooz/tests/drivers/test_(\w+)_lock\.py')
PIFPAF = pathlib.Path(sys.executable).with_name('pifpaf')
PATCHED = 'import eventlet; eventlet.monkey_patch()'

SERVERS = {
    'file': (),
    'etcd3gw': ('TOOZ_TEST_ETCD3GW=1', 'etcd', '--port', '--peer-port'),
    'redis': ('TOOZ_TEST_SENTINEL=', 'redis', '--port'),
    'sentinel': ('TOOZ_TEST_SENTINEL=1', 'redis', '--sentinel', '--port',
                 '--sentinel-port'),
    'zookeeper': ('TOOZ_TEST_SENTINEL=', 'zookeeper', '--port'),
}
"""Driver -> what tooz's tests want in the environment, and what pifpaf is told
about its server, with a free port behind each option for one."""

ALL = 'all'
"""Stands for the tests of a driver when none of them ran."""


def run(tree, files, pattern, threads):
    """Run the suite.

    :param pathlib.Path tree: the tree that ``./series build`` made
    :param list[str] files: all of its files
    :param str pattern: a regular expression that finds the ids to run; with
        drivers in front, on these alone: ``file|redis:test_shared_locks``
    :param bool threads: native threads instead of eventlet
    :rtype: tools.checks.results.Result
    :raises ToolError: if there is no such driver
    """
    outcomes = {}
    named, pattern = re.fullmatch(r'(?:([\w|]+): *)?(.*)', pattern).groups()
    drivers = named.split('|') if named else SERVERS
    for driver in drivers:
        if driver not in SERVERS:
            raise errors.ToolError(
                f'expected drivers, {", ".join(SERVERS)}, found {driver!r}.')
    for driver in drivers:
        with tempfile.TemporaryDirectory() as folder:
            command = within(driver, folder)
            ran = runner.run_all(
                tree, _modules(files, driver), pattern, threads,
                within=command,
                first='' if threads else PATCHED) or {ALL: _none_ran(command)}
        outcomes |= {f'{driver}:{test}': ran[test] for test in ran}
    return results.of(outcomes, _may_skip)


def _modules(files, driver):
    """Choose the modules of tests for a driver."""
    driver = {'sentinel': 'redis'}.get(driver, driver)
    chosen = set()
    for path in filter(MODULES.fullmatch, files):
        of_driver = OF_DRIVER.fullmatch(path)
        if not of_driver or of_driver[1] == driver:
            chosen.add(path)
    return chosen


def _none_ran(command):
    """Tell why no test ran within a command."""
    if subprocess.run([*command, 'true'], capture_output=True).returncode:
        return runner.Outcome('skip', 'pifpaf cannot start its server')
    return runner.Outcome('fail', 'no test ran')


def _may_skip(test):
    """Tell whether a test may be skipped.

    Drivers have tests of their own, which are skipped on all others.  Where
    nobody asked for servers, a driver whose server is missing may be skipped.
    """
    if test.endswith(f':{ALL}'):
        return not os.environ.get('CINDER_TEST_SERVERS')
    return 'shared' not in test.lower() or '.drivers.' in test


def within(driver, folder):
    """Return the command within which the tests of a driver run.

    :param str driver: one of :data:`SERVERS`
    :param str folder: an empty folder
    :returns: its words
    :rtype: list[str]
    """
    if driver == 'file':
        return ['env', f'TOOZ_TEST_URL=file://{folder}']
    setting, *server = SERVERS[driver]
    return ['env', setting, str(PIFPAF), '-e', 'TOOZ_TEST', 'run',
            *(word for option in server for word in _with_port(option)), '--']


def _with_port(option):
    if not option.endswith('port'):
        return [option]
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        return [option, str(free.getsockname()[1])]
