"""Remarks with which a solver justifies a step: a sound one in the right solution, an unsound one in the wrong.

They carry no numbers. The two of a pair share most of their words and have about the same length, so that no single
word and no count tells them apart; what they say does. A pair is used as one: what differs is the point, not noise.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Remarks:
    """errors: the edits, one of which an unsound remark of this kind excuses (keys of errors.ERRORS);
    pairs: (sound, unsound)."""

    errors: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]


REMARKS: dict[str, Remarks] = {
    "ignored condition": Remarks(
        ("dropped step", "misread number", "inconsistent answer"),
        (
            ("Both parts of the story count.", "Other parts of the story are skipped."),
            ("No detail may be left out.", "One detail may be left out."),
            ("The last condition is important.", "The last condition is irrelevant."),
            ("Each given number is needed.", "A given number is in the way."),
            ("The question asks for the whole.", "The question is cut short here."),
            ("That uses all the facts given.", "That ignores the facts given."),
            ("The whole story is used.", "The whole story is too long."),
            ("One more condition has to hold.", "One more condition is a nuisance."),
            ("Nothing that was asked is skipped.", "Something that was asked is skipped."),
            ("Every fact has its place here.", "Every fact has been lost here."),
            ("We keep to what is given.", "We stray from what is given."),
            ("We read the task to its end.", "We read the task to its middle."),
            ("All data in the text are useful.", "All data in the text are useless."),
            ("We answer what was asked.", "We dodge what was asked."),
        ),
    ),
    "unsound reason": Remarks(
        ("repeated step", "non sequitur", "inconsistent answer"),
        (
            ("The order of steps matters.", "The order of steps is arbitrary."),
            ("Plus and times are different.", "Plus and times are the same."),
            ("This rule holds here.", "This rule fails here."),
            ("A part is less than the whole.", "A part is more than the whole."),
            ("The units agree in each step.", "The units clash in each step."),
            ("It follows from the step before.", "It contradicts the step before."),
            ("Each step has a good reason.", "Each step has no reason."),
            ("The operation fits the story.", "The operation ignores the story."),
            ("This rule is right for such problems.", "This rule is wrong for such problems."),
            ("The operation was chosen with care.", "The operation was chosen at random."),
            ("It is easy to explain this step.", "It is hard to explain this step."),
            ("The logic is sound.", "The logic is broken."),
            ("A proof would end the same way.", "A proof would end the other way."),
            ("We know why this works.", "We doubt that this works."),
        ),
    ),
    "guess": Remarks(
        ("arithmetic slip", "inconsistent answer"),
        (
            ("This was worked out fully.", "This was guessed roughly."),
            ("The sum was checked twice.", "The sum was checked by nobody."),
            ("A careful count was made.", "A careless count was made."),
            ("The figure is exact.", "The figure is a hunch."),
            ("It was measured in full.", "It was estimated by eye."),
            ("The value is beyond doubt.", "The value is open to doubt."),
        ),
    ),
}
