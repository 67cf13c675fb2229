"""Functions on lists of numbers."""

# Plain loops, as people write them, and types only where test inputs come from them.
# mypy: ignore-errors
# ruff: noqa: B905, SIM110
from aar.testbeds.generators.code_bank.inputs import Flags, Int, Ints, Nested, Size


def sum_list(numbers: Ints):
    """Return the sum of numbers."""
    total = 0
    for x in numbers:
        total += x
    return total


def product(numbers: Ints):
    """Multiply all of numbers together."""
    result = 1
    for x in numbers:
        result *= x
    return result


def largest(numbers: Ints):
    """Return the largest of numbers."""
    best = numbers[0]
    for x in numbers[1:]:
        if x > best:
            best = x
    return best


def index_of_smallest(numbers: Ints):
    """Return the first position of the smallest of numbers."""
    best = 0
    for i in range(1, len(numbers)):
        if numbers[i] < numbers[best]:
            best = i
    return best


def second_largest(numbers: Ints):
    """Return the second largest distinct value of numbers, or None."""
    values = sorted(set(numbers))
    if len(values) < 2:
        return None
    return values[-2]


def running_totals(numbers: Ints):
    """Return the running totals of numbers."""
    result, total = [], 0
    for x in numbers:
        total += x
        result.append(total)
    return result


def differences(numbers: Ints):
    """Return each number minus the one before it."""
    result = []
    for i in range(1, len(numbers)):
        result.append(numbers[i] - numbers[i - 1])
    return result


def remove_duplicates(numbers: Ints):
    """Return numbers without repeats, in the order of first occurrence."""
    result = []
    for x in numbers:
        if x not in result:
            result.append(x)
    return result


def flatten(rows: Nested):
    """Join all rows into one list."""
    result = []
    for row in rows:
        result.extend(row)
    return result


def chunk(numbers: Ints, k: Size):
    """Split numbers into lists of k elements."""
    result = []
    for i in range(0, len(numbers), k):
        result.append(numbers[i : i + k])
    return result


def count_positive(numbers: Ints):
    """Count the elements of numbers that are greater than zero."""
    count = 0
    for x in numbers:
        if x > 0:
            count += 1
    return count


def moving_sums(numbers: Ints, k: Size):
    """Return the sums of all windows of k adjacent elements of numbers."""
    result = []
    for i in range(len(numbers) - k + 1):
        result.append(sum(numbers[i : i + k]))
    return result


def rotate_right(numbers: Ints, k: Size):
    """Move the last k elements of numbers to the front."""
    if k >= len(numbers):
        return numbers
    return numbers[-k:] + numbers[:-k]


def interleave(numbers: Ints, others: Ints):
    """Alternate the elements of numbers and others, up to the shorter one."""
    result = []
    for x, y in zip(numbers, others):
        result.append(x)
        result.append(y)
    return result


def dot_product(numbers: Ints, others: Ints):
    """Add up the products of matching elements of numbers and others."""
    total = 0
    for x, y in zip(numbers, others):
        total += x * y
    return total


def is_increasing(numbers: Ints):
    """Check whether each of numbers is greater than the one before it."""
    for i in range(1, len(numbers)):
        if numbers[i] <= numbers[i - 1]:
            return False
    return True


def max_subarray(numbers: Ints):
    """Return the largest sum of adjacent elements of numbers."""
    best = here = numbers[0]
    for x in numbers[1:]:
        here = max(x, here + x)
        best = max(best, here)
    return best


def count_peaks(numbers: Ints):
    """Count the inner elements of numbers that are greater than both neighbours."""
    count = 0
    for i in range(1, len(numbers) - 1):
        if numbers[i] > numbers[i - 1] and numbers[i] > numbers[i + 1]:
            count += 1
    return count


def split_even_odd(numbers: Ints):
    """Return the even elements of numbers and the odd ones as two lists."""
    even, odd = [], []
    for x in numbers:
        if x % 2 == 0:
            even.append(x)
        else:
            odd.append(x)
    return even, odd


def clamp_all(numbers: Ints, low: Size, high: Int):
    """Limit each of numbers to the range from low to high."""
    result = []
    for x in numbers:
        result.append(min(max(x, low), high))
    return result


def average(numbers: Ints):
    """Return the mean of numbers, or 0 if there are none."""
    if len(numbers) == 0:
        return 0
    return sum(numbers) / len(numbers)


def spread(numbers: Ints):
    """Return the difference between the largest and the smallest of numbers."""
    return max(numbers) - min(numbers)


def longest_true_run(flags: Flags):
    """Return the length of the longest run of true values in flags."""
    best = run = 0
    for flag in flags:
        run = run + 1 if flag else 0
        if run > best:
            best = run
    return best


def every_kth(numbers: Ints, k: Size):
    """Return every k-th element of numbers, starting with the first."""
    result = []
    for i in range(len(numbers)):
        if i % k == 0:
            result.append(numbers[i])
    return result
