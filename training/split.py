"""Which messages train and which are held out: by writer and theme, never at random."""

from __future__ import annotations

import hashlib

from training.corpus import Message


def held_out(message: Message) -> bool:
    """Whether a message's writer-and-theme group serves for thresholds instead of training."""
    return int(hashlib.sha256(message.group.encode()).hexdigest(), 16) % 10 == 0


def within(message: Message, share: float) -> bool:
    """Whether a message's group belongs to this share of the themes, for a learning curve."""
    return int(hashlib.sha256(("share" + message.group).encode()).hexdigest(), 16) % 1000 < 1000 * share
