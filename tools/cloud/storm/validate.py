# SPDX-License-Identifier: Apache-2.0

"""What has to hold in a storm: no error, the right data, and the time."""

LIMIT = 1.5
"""The highest ratio to the ideal; the goal is 1.1 on a quiet machine."""


def problems(results):
    """Return what is wrong with the patched tree, as a list of sentences.

    :param results: list of tools.cloud.storm.results.Result
    """
    found = []
    for result in results:
        if result.tree != 'patched':
            continue
        errors = result.storm.wave.errors + result.ideal.wave.errors
        wrong = result.storm.wrong + result.ideal.wrong
        if errors:
            found.append(f'{result.case}: {errors} creates ended in error')
        if wrong:
            found.append(f'{result.case}: {wrong} volumes differ from their '
                         'source')
        if result.ratio > LIMIT and not result.case.serial:
            found.append(f'{result.case}: took {result.ratio:.2f} times '
                         f'the ideal, expected at most {LIMIT}')
    return found
