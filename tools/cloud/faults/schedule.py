# SPDX-License-Identifier: Apache-2.0

"""What the clients of a storm ask for, and when, by a seed."""

import collections
import random

Step = collections.namedtuple('Step', 'offset kind source')
"""Seconds after the start of the storm; 'create' or 'delete'; the number of
the source."""

EARLIEST = 3
SPREAD = 4
RACE = 0.3
SEED = 20150518


def seed(text):
    """Return the number that an argument stands for.

    :param text: an integer, or 'random'
    :raises ValueError: if it is neither
    """
    return random.SystemRandom().randrange(2 ** 32) if text == 'random' else (
        int(text))


def add_seed(parser):
    """Give a command line the option --seed.

    :param parser: argparse.ArgumentParser
    """
    parser.add_argument('--seed', type=seed, default=SEED,
                        help='which storms: a number, or "random" for one '
                             'that is told (default: %(default)s)')


def plan(rng, sources, creates, span):
    """Spread the creates and the delete of each source over a storm.

    Each source is deleted at random. The creates from it come in the seconds
    before, so that they are under way then, and the last at the same time.

    :param rng: a random.Random
    :param sources: how many sources there are, as an integer
    :param creates: how many creates each gets, as an integer
    :param span: seconds over which to spread the deletes, as a number
    :returns: list of Step, sorted by time
    """
    steps = []
    for source in range(sources):
        delete = rng.uniform(EARLIEST, span)
        steps.append(Step(delete, 'delete', source))
        offsets = [delete - rng.uniform(0, SPREAD)
                   for _create in range(creates - 1)]
        offsets.append(delete + rng.uniform(-RACE, RACE))
        steps += [Step(max(offset, 0), 'create', source)
                  for offset in offsets]
    return sorted(steps)
