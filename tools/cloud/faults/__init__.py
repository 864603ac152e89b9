# SPDX-License-Identifier: Apache-2.0

"""Faults in the middle of traffic, and what became of the volumes.

Two hosts serve creates, and deletes of their sources, while one part of the
cloud after the other fails. What the clients saw and what the storage did is
recorded, and validated afterwards.
"""
