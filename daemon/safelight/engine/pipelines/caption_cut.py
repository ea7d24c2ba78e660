"""How FaithDiff's authors make a prompt of what LLaVA says about a picture. Free of torch.

Official: github.com/JyChen9811/FaithDiff (MIT), its test script. What LLaVA says begins with three words such as "The
image features"; these go, and all but the first two sentences. Only for captions of LLaVA: the authors' demo cuts text
that a person typed too, which it should not.
"""

from __future__ import annotations

LEADING_WORDS = 3
SENTENCES = 2


def cut(caption: str) -> str:
    """The authors' prompt, slips included: the first word left is lowered but for its first letter, and two sentences
    or fewer end with a double full stop. Raises ValueError for a caption that has no more than the leading words."""
    words = caption.split()[LEADING_WORDS:]
    if not words:
        raise ValueError(f"the caption {caption[:80]!r} has no more than {LEADING_WORDS} words")
    text = " ".join((words[0].capitalize(), *words[1:]))
    return ". ".join(text.split(". ")[:SENTENCES]) + "."
