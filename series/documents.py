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

"""Read the YAML files of the series and refuse whatever is not expected.

A key nobody knows is most often a misspelt one, so every mapping is checked
against the keys that it may have.  ruamel.yaml refuses keys given twice.
"""

from ruamel import yaml

from series import errors


def load_list(path, name):
    """Read a YAML file that holds a list of mappings.

    :param pathlib.Path path: the file
    :param str name: what to call the file in an error
    :returns: the list, empty when the file is
    :rtype: list[dict]
    :raises SeriesError: if the file is missing, no YAML, or no such list
    """
    try:
        content = yaml.YAML(typ='safe', pure=True).load(path.read_bytes())
    except FileNotFoundError:
        raise errors.SeriesError(f'{name} does not exist.')
    except (yaml.error.YAMLError, UnicodeDecodeError) as error:
        told = ' '.join(str(error).split())
        raise errors.SeriesError(f'{name} is not valid YAML: {told}')
    if content is None:
        return []
    if (not isinstance(content, list) or
            not all(isinstance(item, dict) for item in content)):
        raise errors.SeriesError(f'{name} must be a list of mappings.')
    return content


def take(item, key, kind, where, default=None):
    """Take a value out of a mapping and check its type.

    :param dict item: the mapping
    :param str key: the key
    :param type kind: the type that the value must have
    :param str where: what to call the mapping in an error
    :param default: the value for a missing key; None if it must not miss
    :returns: the value
    :raises SeriesError: if the value is missing, empty text or of a wrong type
    """
    value = item.get(key, default)
    if value is None or value == '':
        raise errors.SeriesError(f'{where} has no {key}.')
    if not isinstance(value, kind) or isinstance(value, bool):
        raise errors.SeriesError(
            f'{where}: {key} must be a {kind.__name__}, not {value!r}.')
    return value


def refuse_unknown_keys(item, known, where):
    """Check that a mapping has no other keys than the known ones.

    :param dict item: the mapping
    :param set[str] known: the keys that it may have
    :param str where: what to call the mapping in an error
    :raises SeriesError: if it has another
    """
    unknown = [str(key) for key in item if key not in known]
    if unknown:
        raise errors.SeriesError(
            f'{where}: unknown key {", ".join(unknown)} (known are '
            f'{", ".join(sorted(known))}).')
