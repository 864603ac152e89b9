# SPDX-License-Identifier: Apache-2.0

"""Faults in the middle of a storm, and what they made of it.

Creates and deletes of their sources run on two hosts while one part of the
cloud after the other fails. What the clients saw and what the storage did is
recorded, and checked afterwards.
"""
