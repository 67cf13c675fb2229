"""Remarks with which a solver justifies a step: a sound one in the right solution, an unsound one in the wrong.

They carry no numbers. Sound and unsound ones share most of their words and have about the same length, so that
no single word and no count tells them apart; what they say does.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Remarks:
    """errors: the edits that one of an unsound remark of this kind excuses (keys of errors.ERRORS)."""

    errors: tuple[str, ...]
    sound: tuple[str, ...]
    unsound: tuple[str, ...]


REMARKS: dict[str, Remarks] = {
    "ignored condition": Remarks(
        ("dropped step", "misread number", "inconsistent answer"),
        ("Both parts of the story count.", "No detail may be left out.", "The last condition matters too.",
         "Each given number is needed.", "The question asks for the whole.", "That uses all the facts given.",
         "The whole story is used.", "One more condition has to hold.", "Nothing that was asked is skipped.",
         "Every fact has its place here.", "We keep to what is given.", "We read the task to its end.",
         "All data in the text are respected.", "We answer just what was asked."),
        ("Other parts of the story are skipped.", "One detail may be left out.", "The last condition is forgotten.",
         "A given number is in the way.", "The question is cut short here.", "That ignores the facts given.",
         "The whole story is too long.", "One more condition is a nuisance.", "Something that was asked is skipped.",
         "Every fact has been lost here.", "We stray from what is given.", "We read the task to its middle.",
         "All data in the text are neglected.", "We answer what was never asked."),
    ),
    "unsound reason": Remarks(
        ("repeated step", "non sequitur", "inconsistent answer"),
        ("The order of steps matters.", "Plus and times are different.", "This rule holds here.",
         "A part is less than the whole.", "The units agree in each step.", "It follows from the step before.",
         "Each step has a good reason.", "The operation fits the story.", "This rule is right for such problems.",
         "The operation was chosen with care.", "We can explain this step.", "The logic is sound.",
         "A proof would end the same way.", "We know why this works."),
        ("The order of steps is arbitrary.", "Plus and times are the same.", "This rule fails here.",
         "A part is more than the whole.", "The units clash in each step.", "It contradicts the step before.",
         "Each step has no reason.", "The operation ignores the story.", "This rule is wrong for such problems.",
         "The operation was chosen at random.", "We cannot explain this step.", "The logic is broken.",
         "A proof would end in another way.", "We doubt that this works."),
    ),
    "guess": Remarks(
        ("arithmetic slip", "inconsistent answer"),
        ("This was worked out fully.", "The sum was checked twice.", "A careful count was made.",
         "The figure is exact.", "It was measured in full.", "The value is beyond doubt."),
        ("This was guessed roughly.", "The sum was never checked.", "A careless count was made.",
         "The figure is a hunch.", "It was estimated by eye.", "The value is open to doubt."),
    ),
}  # fmt: skip
