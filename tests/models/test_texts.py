"""The texts that a model reads for a row."""

from aar.models import texts
from aar.types import Claim, Pair


def test_a_pair_reads_as_two_texts_and_a_claim_as_one() -> None:
    """Prompt and response, or question and choice, joined by a line break."""
    assert texts.of(Pair("p", "a", "b")) == ("p\na", "p\nb")
    assert texts.of(Claim("q", "c")) == ("q\nc",)


def test_flat_names_each_text_once_in_order() -> None:
    """Swapped rows and shared responses cost nothing twice."""
    rows = [Pair("p", "a", "b"), Pair("p", "b", "a"), Pair("p", "a", "c")]
    assert texts.flat(rows) == ["p\na", "p\nb", "p\nc"]
