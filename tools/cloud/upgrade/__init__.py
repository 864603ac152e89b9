# SPDX-License-Identifier: Apache-2.0

"""A rolling upgrade of two hosts, and the way back, with storms all the time.

The storms, what is recorded of them and its check are those of tools.cloud.faults;
what strikes is not a fault, but the operator who starts a host anew.
"""
