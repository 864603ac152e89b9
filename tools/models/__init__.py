# SPDX-License-Identifier: Apache-2.0

"""Promela models of the locks that the series brings to tooz."""
