# SPDX-License-Identifier: Apache-2.0

"""A rolling upgrade of two hosts, and the way back, under traffic.

Traffic, records and rules are those of tools.cloud.faults. Its failpoints are
steps of an operator, who restarts hosts with another release or option.
"""
