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

"""Put the specification into a checkout of cinder-specs.

    python -m specs.submit DIR

It adds the file and its entry in the index, and removes the file that holds
the place of a first specification. To commit and to send is left to git.
"""

import argparse
import os
import pathlib
import sys

from series import edit
from series import errors
from series import rules

SPEC = '2027.1/enhance-locks.rst'
INDEX = 'doc/source/index.rst'
PLACE_HOLDER = '2027.1/remove-me.rst'
HERE = pathlib.Path(__file__).resolve().parent


def submit(directory):
    """Put the specification into a checkout.

    :param pathlib.Path directory: the top of the checkout
    :raises SeriesError: if it is no checkout of cinder-specs, has the
        specification already, or has an index that the rules do not fit;
        nothing is changed then
    """
    if not (directory / 'specs/template.rst').is_file():
        raise errors.SeriesError(
            f'{directory} is no checkout of cinder-specs: it has no '
            f'specs/template.rst.')
    target = directory / 'specs' / SPEC
    if os.path.lexists(target):
        raise errors.SeriesError(f'{target} exists already.')
    index = directory / INDEX
    content = edited(index.read_bytes(), str(index))
    target.parent.mkdir(exist_ok=True)
    target.write_bytes((HERE / SPEC).read_bytes())
    index.write_bytes(content)
    (directory / 'specs' / PLACE_HOLDER).unlink(missing_ok=True)


def edited(index, where):
    """Enter the release of the specification into the index.

    :param bytes index: the index of cinder-specs
    :param str where: what to call it in an error
    :returns: the new index; the same if the release has its entry already
    :rtype: bytes
    :raises SeriesError: if the rules do not fit
    """
    release = SPEC.partition('/')[0]
    if f'specs/{release}/*' in index.decode().split():
        return index
    for rule, in rules.load(HERE, INDEX).values():
        index = edit.apply(index, rule, where)
    return index


def main(arguments=None):
    """Put the specification into the checkout that is named.

    :param list[str] arguments: the arguments; the program's by default
    :returns: the exit status
    :rtype: int
    """
    parser = argparse.ArgumentParser(
        prog='python -m specs.submit',
        description='Put the specification into a checkout of cinder-specs.')
    parser.add_argument('directory', type=pathlib.Path, metavar='DIR')
    directory = parser.parse_args(arguments).directory
    try:
        submit(directory)
    except (errors.SeriesError, OSError) as error:
        print(f'error: {error}', file=sys.stderr)
        return 1
    print(f'{directory} has the specification now; run tox there')
    return 0


if __name__ == '__main__':
    sys.exit(main())
