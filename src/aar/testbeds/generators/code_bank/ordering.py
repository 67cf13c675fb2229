"""Functions that sort, merge, search and select."""

# Plain loops, as people write them, and types only where test inputs come from them.
# mypy: ignore-errors
# ruff: noqa: RUF005, SIM110
from aar.testbeds.generators.code_bank.inputs import Count, Int, Ints, Size, Sorted, Spans, Words


def bubble_sort(numbers: Ints):
    """Sort numbers in ascending order by swapping neighbours."""
    for i in range(len(numbers)):
        for j in range(len(numbers) - 1 - i):
            if numbers[j] > numbers[j + 1]:
                numbers[j], numbers[j + 1] = numbers[j + 1], numbers[j]
    return numbers


def selection_sort(numbers: Ints):
    """Sort numbers in ascending order by selecting the smallest."""
    for i in range(len(numbers)):
        k = i
        for j in range(i + 1, len(numbers)):
            if numbers[j] < numbers[k]:
                k = j
        numbers[i], numbers[k] = numbers[k], numbers[i]
    return numbers


def insertion_sort(numbers: Ints):
    """Sort numbers in ascending order by insertion."""
    result = []
    for x in numbers:
        i = len(result)
        while i > 0 and result[i - 1] > x:
            i -= 1
        result.insert(i, x)
    return result


def quick_sort(numbers: Ints):
    """Sort numbers in ascending order around a pivot."""
    if len(numbers) <= 1:
        return numbers
    pivot, rest = numbers[0], numbers[1:]
    low = [x for x in rest if x < pivot]
    high = [x for x in rest if x >= pivot]
    return quick_sort(low) + [pivot] + quick_sort(high)


def merge_sorted(numbers: Sorted, others: Sorted):
    """Merge the sorted lists numbers and others."""
    result = []
    while numbers and others:
        if numbers[0] <= others[0]:
            result.append(numbers.pop(0))
        else:
            result.append(others.pop(0))
    return result + numbers + others


def binary_search(numbers: Sorted, k: Count):
    """Return a position of k in the sorted list numbers, or -1."""
    low, high = 0, len(numbers) - 1
    while low <= high:
        mid = (low + high) // 2
        if numbers[mid] == k:
            return mid
        if numbers[mid] < k:
            low = mid + 1
        else:
            high = mid - 1
    return -1


def lower_bound(numbers: Sorted, k: Count):
    """Return the first position in the sorted list numbers whose element is at least k."""
    low, high = 0, len(numbers)
    while low < high:
        mid = (low + high) // 2
        if numbers[mid] < k:
            low = mid + 1
        else:
            high = mid
    return low


def linear_search(numbers: Ints, k: Count):
    """Return the first position of k in numbers, or -1."""
    for i in range(len(numbers)):
        if numbers[i] == k:
            return i
    return -1


def last_position(numbers: Ints, k: Count):
    """Return the last position of k in numbers, or -1."""
    for i in range(len(numbers) - 1, -1, -1):
        if numbers[i] == k:
            return i
    return -1


def is_sorted(numbers: Ints):
    """Check whether numbers are in ascending order."""
    for i in range(len(numbers) - 1):
        if numbers[i] > numbers[i + 1]:
            return False
    return True


def kth_smallest(numbers: Ints, k: Size):
    """Return the k-th smallest of numbers, counting from 1."""
    ordered = sorted(numbers)
    return ordered[k - 1]


def top_k(numbers: Ints, k: Size):
    """Return the k largest of numbers, largest first."""
    ordered = sorted(numbers, reverse=True)
    return ordered[:k]


def sort_by_length(words: Words):
    """Sort words from the shortest to the longest."""
    return sorted(words, key=lambda word: len(word))


def median(numbers: Ints):
    """Return the median of numbers."""
    ordered = sorted(numbers)
    mid = len(ordered) // 2
    if len(ordered) % 2 == 1:
        return ordered[mid]
    return (ordered[mid - 1] + ordered[mid]) / 2


def first_greater(numbers: Ints, k: Int):
    """Return the first of numbers that is greater than k, or None."""
    for x in numbers:
        if x > k:
            return x
    return None


def move_zeros(numbers: Ints):
    """Move the zeros of numbers to the end and keep the order of the rest."""
    rest = [x for x in numbers if x != 0]
    return rest + [0] * (len(numbers) - len(rest))


def partition(numbers: Ints, k: Count):
    """Put the elements of numbers below k before all the others."""
    low, high = [], []
    for x in numbers:
        if x < k:
            low.append(x)
        else:
            high.append(x)
    return low + high


def merge_spans(spans: Spans):
    """Merge overlapping intervals in spans."""
    result = []
    for low, high in sorted(spans):
        if result and low <= result[-1][1]:
            result[-1] = (result[-1][0], max(high, result[-1][1]))
        else:
            result.append((low, high))
    return result


def count_containing(spans: Spans, k: Count):
    """Count the intervals in spans that contain k, ends included."""
    count = 0
    for low, high in spans:
        if low <= k <= high:
            count += 1
    return count


def inversions(numbers: Ints):
    """Count the pairs in numbers that are in the wrong order."""
    count = 0
    for i in range(len(numbers)):
        for j in range(i + 1, len(numbers)):
            if numbers[i] > numbers[j]:
                count += 1
    return count
