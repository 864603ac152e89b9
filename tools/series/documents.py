# SPDX-License-Identifier: Apache-2.0

"""Read the YAML files of the series and refuse whatever is not expected.

A key nobody knows is most often a misspelt one, so every mapping is checked
against the keys that it may have.  ruamel.yaml refuses keys given twice.
"""

from ruamel import yaml

from tools.common import errors


def load_mapping(path, name):
    """Read a YAML file that holds one mapping.

    :param pathlib.Path path: the file
    :param str name: what to call the file in an error
    :rtype: dict
    :raises ToolError: if the file is missing, no YAML, or no mapping
    """
    content = _load(path, name)
    if not isinstance(content, dict):
        raise errors.ToolError(f'{name} must be a mapping.')
    return content


def load_list(path, name):
    """Read a YAML file that holds a list of mappings.

    :param pathlib.Path path: the file
    :param str name: what to call the file in an error
    :returns: the list, empty when the file is
    :rtype: list[dict]
    :raises ToolError: if the file is missing, no YAML, or no such list
    """
    content = _load(path, name)
    if content is None:
        return []
    if (not isinstance(content, list) or
            not all(isinstance(item, dict) for item in content)):
        raise errors.ToolError(f'{name} must be a list of mappings.')
    return content


def _load(path, name):
    try:
        return yaml.YAML(typ='safe', pure=True).load(path.read_bytes())
    except FileNotFoundError:
        raise errors.ToolError(f'{name} does not exist.')
    except (yaml.error.YAMLError, UnicodeDecodeError) as error:
        told = ' '.join(str(error).split())
        raise errors.ToolError(f'{name} is not valid YAML: {told}')


def take(item, key, kind, where, default=None):
    """Take a value out of a mapping and check its type.

    :param dict item: the mapping
    :param str key: the key
    :param type kind: the type that the value must have
    :param str where: what to call the mapping in an error
    :param default: the value for a missing key; None if it must not miss
    :returns: the value
    :raises ToolError: if the value is missing, empty text or of a wrong type
    """
    value = item.get(key, default)
    if value is None or value == '':
        raise errors.ToolError(f'{where} has no {key}.')
    if not isinstance(value, kind) or isinstance(value, bool):
        raise errors.ToolError(
            f'{where}: {key} must be a {kind.__name__}, not {value!r}.')
    return value


def refuse_unknown_keys(item, known, where):
    """Check that a mapping has no other keys than the known ones.

    :param dict item: the mapping
    :param set[str] known: the keys that it may have
    :param str where: what to call the mapping in an error
    :raises ToolError: if it has another
    """
    unknown = [str(key) for key in item if key not in known]
    if unknown:
        raise errors.ToolError(
            f'{where}: unknown key {", ".join(unknown)} (known are '
            f'{", ".join(sorted(known))}).')
