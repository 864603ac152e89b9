# SPDX-License-Identifier: Apache-2.0

"""Time several things in turn, so that a drift of the machine hits all."""

import statistics


def take_turns(rounds, timers):
    """Time each thing once in every round.

    The order is the one given, and backwards in every second round, so that
    nothing always runs after the same other thing. A first round does not
    count.

    :param int rounds: how many rounds count
    :param timers: name -> function that does the thing and returns how long
        it took, in seconds
    :returns: dict of name -> list of the seconds, by round
    """
    seconds = {name: [] for name in timers}
    for number in range(1 + rounds):
        for name in forth_and_back(timers, number):
            seconds[name].append(timers[name]())
    return {name: counted for name, (_first, *counted) in seconds.items()}


def forth_and_back(names, number):
    """Return the names as a list, backwards if the number is odd."""
    return list(names)[::-1 if number % 2 else 1]


def ratio(seconds, others):
    """Return the median of the ratios of each round.

    :param seconds: list of the seconds of the thing judged, by round
    :param others: list of the seconds of what it is compared with
    """
    return statistics.median(one / other
                             for one, other in zip(seconds, others))
