"""Functions on single words."""

# Plain loops, as people write them, and types only where test inputs come from them.
# mypy: ignore-errors
from aar.testbeds.generators.code_bank.inputs import Count, Letter, Word


def count_vowels(word: Word):
    """Count the vowels in word."""
    count = 0
    for ch in word:
        if ch in "aeiou":
            count += 1
    return count


def is_palindrome(word: Word):
    """Check whether word reads the same backwards."""
    left, right = 0, len(word) - 1
    while left < right:
        if word[left] != word[right]:
            return False
        left += 1
        right -= 1
    return True


def reverse_word(word: Word):
    """Return the letters of word in reverse order."""
    result = ""
    for ch in word:
        result = ch + result
    return result


def count_letter(word: Word, letter: Letter):
    """Count how often letter occurs in word."""
    count = 0
    for ch in word:
        if ch == letter:
            count += 1
    return count


def swap_ends(word: Word):
    """Swap the first and the last letter of word."""
    if len(word) < 2:
        return word
    return word[-1] + word[1:-1] + word[0]


def caesar_shift(word: Word, k: Count):
    """Shift every letter of word by k places in the alphabet."""
    result = ""
    for ch in word.lower():
        result += chr((ord(ch) - 97 + k) % 26 + 97)
    return result


def first_repeated_letter(word: Word):
    """Return the first letter of word that was seen before, or None."""
    seen = set()
    for ch in word:
        if ch in seen:
            return ch
        seen.add(ch)
    return None


def run_length(word: Word):
    """Return the length of the longest run of equal letters in word."""
    best = run = 1
    for i in range(1, len(word)):
        run = run + 1 if word[i] == word[i - 1] else 1
        best = max(best, run)
    return best


def common_prefix(word: Word, other: Word):
    """Return the longest common prefix of word and other."""
    i = 0
    while i < len(word) and i < len(other) and word[i] == other[i]:
        i += 1
    return word[:i]


def hamming(word: Word, other: Word):
    """Count the positions at which word and other differ, up to the shorter length."""
    count = 0
    for i in range(min(len(word), len(other))):
        if word[i] != other[i]:
            count += 1
    return count


def capitalize_first(word: Word):
    """Make the first letter of word upper case and the rest lower case."""
    if not word:
        return word
    return word[0].upper() + word[1:].lower()


def remove_letter(word: Word, letter: Letter):
    """Remove every occurrence of letter from word."""
    return "".join(ch for ch in word if ch != letter)


def is_anagram(word: Word, other: Word):
    """Check whether word and other have the same letters, ignoring case."""
    if len(word) != len(other):
        return False
    return sorted(word.lower()) == sorted(other.lower())


def rotate_left(word: Word, k: Count):
    """Rotate word by k letters to the left."""
    k = k % len(word)
    return word[k:] + word[:k]


def double_letters(word: Word):
    """Count the adjacent pairs of equal letters in word."""
    count = 0
    for i in range(len(word) - 1):
        if word[i] == word[i + 1]:
            count += 1
    return count


def pad_left(word: Word, k: Count):
    """Pad word with spaces on the left to at least k letters."""
    while len(word) < k:
        word = " " + word
    return word


def middle_letters(word: Word):
    """Return the middle letter of word, or the two middle letters if its length is even."""
    half = len(word) // 2
    if len(word) % 2 == 0:
        return word[half - 1 : half + 1]
    return word[half]


def is_subsequence(word: Word, other: Word):
    """Check whether the letters of word occur in other in the same order."""
    i = 0
    for ch in other:
        if i < len(word) and ch == word[i]:
            i += 1
    return i == len(word)


def alternate_case(word: Word):
    """Make letters at even positions of word upper case and the others lower case."""
    result = ""
    for i, ch in enumerate(word):
        result += ch.upper() if i % 2 == 0 else ch.lower()
    return result
