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

"""Command line: a whole cloud, up; checked, or lent to a person; down.

Exits with 0 when all services started and every backend worked; with 1 and
one sentence otherwise; with 2 when the command line is wrong.
"""

import argparse
import os
import pathlib
import shlex
import signal
import subprocess
import sys

from cloud.errors import CloudError
from cloud import namespace
from cloud import progress
from cloud.site import ADDRESS
from cloud.site import Site
from series import releases

ROOT = pathlib.Path(__file__).resolve().parents[1]
FOLDER = ROOT / 'build/cloud'
TREES = {'upstream': ROOT / 'build/trees/upstream',
         'patched': ROOT / f'build/cinder-{releases.load(ROOT)[0]}'}
NEEDED = ('cinder/__init__.py', 'etc/cinder/api-paste.ini',
          'cinder/tests/functional/copying_driver.py')


def parse(arguments):
    """Return the arguments as an argparse.Namespace, or exit with 2.

    :param arguments: list of text, without the program's name
    """
    parser = argparse.ArgumentParser(
        prog='python -m cloud',
        description='Start MariaDB, RabbitMQ, etcd, Keystone, Ceph and '
                    'Cinder on this machine, try every backend, and stop '
                    'all. Nothing but the logs in build/cloud/logs is left.')
    parser.add_argument('--tree', choices=tuple(TREES), default='patched',
                        help='which Cinder: as released, or with the series '
                             '(default: %(default)s)')
    parser.add_argument('--shell', action='store_true',
                        help='instead of trying it, give a shell with the '
                             'OS_* variables set; all stops at its end')
    return parser.parse_args(arguments)


def tree_of(name):
    """Return the pathlib.Path of a tree.

    :param name: a key of TREES
    :raises CloudError: if it is not there, or not whole
    """
    tree = TREES[name]
    for path in NEEDED:
        if not (tree / path).is_file():
            raise CloudError(
                f'{name} tree: expected a Cinder source tree in {tree}, it '
                f'has no {path}; "python -m gate trees" makes it')
    return tree


def lend(site, keystone):
    """Run a shell in which ``openstack`` works, until it ends.

    :param site: the cloud.site.Site
    :param keystone: the cloud.keystone.Keystone
    """
    credentials = keystone.credentials()
    openrc = site.run / 'openrc'
    openrc.touch(0o600)
    openrc.write_text(''.join(f'export {name}={shlex.quote(value)}\n'
                              for name, value in credentials.items()))
    progress.say('a shell: try "openstack volume service list"; other '
                 f'terminals can read {openrc}; "exit" stops the cloud')
    subprocess.run([os.environ.get('SHELL', '/bin/sh')],
                   env=site.environment(**credentials))


def run(args):
    """Start the cloud, use it, and stop it.

    :param args: argparse.Namespace from parse()
    :raises CloudError: if it does not work
    """
    with namespace.alone(FOLDER):
        # Only what is installed beside Cinder has them.
        from cloud import deployment
        from cloud import health
        os.environ['no_proxy'] = os.environ['NO_PROXY'] = (
            f'{ADDRESS},localhost')
        site = Site(FOLDER)
        site.make()
        try:
            cloud, services = deployment.lay_out(site, tree_of(args.tree))
            with cloud:
                if args.shell:
                    lend(site, services.keystone)
                else:
                    health.check(site, cloud, services.keystone)
        finally:
            site.remove()
    progress.say('stopped; the logs are in build/cloud/logs')


def main(arguments):
    """Run the command line and return the exit status.

    :param arguments: list of text, without the program's name
    """
    args = parse(arguments)
    # SIGINT too: a shell has its background jobs ignore it.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        tree_of(args.tree)
        namespace.enter(arguments)
        run(args)
    except (CloudError, OSError) as error:
        told = []
        # What went wrong first is told first.
        while error is not None:
            told.append(f'cloud: {error}')
            error = error.__context__ if isinstance(
                error.__context__, (CloudError, OSError)) else None
        print('\n'.join(reversed(told)), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('cloud: interrupted', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
