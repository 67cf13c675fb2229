"""Functions that parse or measure a line of text."""

# Plain loops, as people write them, and types only where test inputs come from them.
# mypy: ignore-errors
# ruff: noqa: B007, RUF005
from aar.testbeds.generators.code_bank.inputs import Bits, Count, Letter, Text, Words


def count_words(text: Text):
    """Count the words in text."""
    count = 0
    for word in text.split():
        count += 1
    return count


def longest_word(text: Text):
    """Return the first longest word of text."""
    best = ""
    for word in text.split():
        if len(word) > len(best):
            best = word
    return best


def initials(text: Text):
    """Return the upper case first letters of the words of text."""
    result = ""
    for word in text.split():
        result += word[0].upper()
    return result


def reverse_words(text: Text):
    """Return the words of text in reverse order."""
    words = text.split()
    return " ".join(words[::-1])


def sum_digits_in_text(text: Text):
    """Add up all the digits that occur in text."""
    total = 0
    for ch in text:
        if ch.isdigit():
            total += int(ch)
    return total


def squeeze_spaces(text: Text):
    """Replace runs of spaces in text by a single space."""
    result = ""
    for ch in text:
        if ch != " " or not result.endswith(" "):
            result += ch
    return result


def count_upper(text: Text):
    """Count the upper case letters of text."""
    return sum(1 for ch in text if ch.isupper())


def truncate(text: Text, k: Count):
    """Cut text to at most k characters and add dots if something was cut."""
    if len(text) <= k:
        return text
    return text[:k] + "..."


def compress_runs(text: Text):
    """Replace each run of equal characters in text by one character and its length."""
    result, i = "", 0
    while i < len(text):
        j = i
        while j < len(text) and text[j] == text[i]:
            j += 1
        result += text[i] + str(j - i)
        i = j
    return result


def parse_fields(text: Text):
    """Parse text like a=1;b=2 into a dictionary."""
    fields = {}
    for part in text.split(";"):
        if "=" in part:
            key, value = part.split("=")
            fields[key] = value
    return fields


def after_letter(text: Text, letter: Letter):
    """Return what follows the first occurrence of letter in text, or an empty string."""
    i = text.find(letter)
    if i < 0:
        return ""
    return text[i + 1 :]


def before_letter(text: Text, letter: Letter):
    """Return what precedes the last occurrence of letter in text, or all of it."""
    i = text.rfind(letter)
    if i == -1:
        return text
    return text[:i]


def title_case(text: Text):
    """Capitalize every word of text that is longer than two letters."""
    words = text.split()
    for i in range(len(words)):
        if len(words[i]) > 2:
            words[i] = words[i].capitalize()
    return " ".join(words)


def count_words_starting(text: Text, letter: Letter):
    """Count the words of text that start with letter."""
    count = 0
    for word in text.split():
        if word.startswith(letter):
            count += 1
    return count


def wrap_lines(text: Text, k: Count):
    """Break the words of text into lines of at most k characters where possible."""
    lines, line = [], ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > k:
            lines.append(line)
            line = word
        else:
            line = (line + " " + word).strip()
    return lines + [line]


def join_with_and(words: Words):
    """Join words by commas, with an 'and' before the last one."""
    if len(words) < 2:
        return "".join(words)
    return ", ".join(words[:-1]) + " and " + words[-1]


def bits_to_int(bits: Bits):
    """Convert the binary digits in bits to a number."""
    value = 0
    for bit in bits:
        value = value * 2 + int(bit)
    return value


def flip_bits(bits: Bits):
    """Replace every 0 in bits by 1 and every 1 by 0."""
    result = ""
    for bit in bits:
        result += "1" if bit == "0" else "0"
    return result


def strip_equal_ends(text: Text):
    """Return text without its first and last character if they are equal."""
    if len(text) > 1 and text[0] == text[-1]:
        return text[1:-1]
    return text


def word_lengths(text: Text):
    """Return a dictionary from each word of text to its length."""
    lengths = {}
    for word in text.split():
        lengths[word] = len(word)
    return lengths
