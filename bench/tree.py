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

"""The Cinder source tree that is measured."""

from bench.errors import BenchError


def check(tree, needed):
    """Raise BenchError unless this is a Cinder tree with the locks.

    :param tree: pathlib.Path
    :param needed: paths of files that it must have, as text
    """
    missing = [path for path in needed if not (tree / path).is_file()]
    if missing:
        raise BenchError('expected a Cinder source tree with the series in '
                         '%s, it has no %s' % (tree, missing[0]))
