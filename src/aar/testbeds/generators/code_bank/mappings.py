"""Functions on dictionaries, sets and pairs."""

# Plain loops, as people write them, and types only where test inputs come from them.
# mypy: ignore-errors
# ruff: noqa: SIM110
from aar.testbeds.generators.code_bank.inputs import Int, Ints, Nested, Pairs, Scores, Text, Words


def count_items(words: Words):
    """Return a dictionary that counts each of words."""
    counts = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    return counts


def invert(scores: Scores):
    """Swap the keys and values of scores."""
    result = {}
    for key, value in scores.items():
        result[value] = key
    return result


def best_key(scores: Scores):
    """Return the first key of scores with the highest value, or None."""
    best = None
    for key in scores:
        if best is None or scores[key] > scores[best]:
            best = key
    return best


def total_by_key(pairs: Pairs):
    """Add up the values of pairs for each key."""
    totals = {}
    for key, value in pairs:
        if key not in totals:
            totals[key] = 0
        totals[key] += value
    return totals


def group_values(pairs: Pairs):
    """Collect the values of pairs in a list for each key."""
    groups = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return groups


def merge_max(scores: Scores, others: Scores):
    """Merge scores and others, keeping the larger value of a shared key."""
    result = dict(scores)
    for key, value in others.items():
        result[key] = max(value, result.get(key, value))
    return result


def common_keys(scores: Scores, others: Scores):
    """List the keys of scores that are also in others."""
    return [key for key in scores if key in others]


def filter_scores(scores: Scores, k: Int):
    """Keep the entries of scores whose value is at least k."""
    result = {}
    for key, value in scores.items():
        if value >= k:
            result[key] = value
    return result


def most_common(numbers: Ints):
    """Return the most frequent of numbers, the smallest one in a tie."""
    best, top = None, 0
    for x in sorted(set(numbers)):
        if numbers.count(x) > top:
            best, top = x, numbers.count(x)
    return best


def symmetric_difference(numbers: Ints, others: Ints):
    """List in ascending order what is in exactly one of numbers and others."""
    left, right = set(numbers), set(others)
    return sorted((left | right) - (left & right))


def has_duplicates(numbers: Ints):
    """Check whether some element of numbers occurs twice."""
    seen = set()
    for x in numbers:
        if x in seen:
            return True
        seen.add(x)
    return False


def positions(words: Words):
    """Return a dictionary from each of words to its first position."""
    result = {}
    for i, word in enumerate(words):
        if word not in result:
            result[word] = i
    return result


def keys_above_average(scores: Scores):
    """List the keys of scores whose value is above the average."""
    mean = sum(scores.values()) / len(scores)
    return [key for key, value in scores.items() if value > mean]


def two_sum(numbers: Ints, k: Int):
    """Return the positions of two elements of numbers that add up to k, or None."""
    seen = {}
    for i, x in enumerate(numbers):
        if k - x in seen:
            return seen[k - x], i
        seen[x] = i
    return None


def is_subset(numbers: Ints, others: Ints):
    """Check whether all of numbers are in others."""
    for x in numbers:
        if x not in others:
            return False
    return True


def intersect_all(rows: Nested):
    """Return the set of values that are in every one of rows."""
    result = set(rows[0])
    for row in rows[1:]:
        result = result & set(row)
    return result


def only_once(numbers: Ints):
    """List the elements of numbers that occur exactly once."""
    return [x for x in numbers if numbers.count(x) == 1]


def letter_positions(text: Text):
    """Return a dictionary from each character of text to its last position."""
    last = {}
    for i in range(len(text)):
        last[text[i]] = i
    return last


def subtract_stock(scores: Scores, others: Scores):
    """Subtract others from scores key by key, but never go below zero."""
    result = {}
    for key, value in scores.items():
        result[key] = max(value - others.get(key, 0), 0)
    return result


def rank_names(pairs: Pairs):
    """List the names in pairs from the highest score to the lowest."""
    ordered = sorted(pairs, key=lambda pair: pair[1], reverse=True)
    return [name for name, score in ordered]
