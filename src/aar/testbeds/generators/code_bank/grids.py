"""Functions on matrices and grids. Held out of training."""

# Plain loops, as people write them, and types only where test inputs come from them.
# mypy: ignore-errors
# ruff: noqa: B905
from aar.testbeds.generators.code_bank.inputs import Matrix, Size


def transpose(grid: Matrix):
    """Return grid with rows and columns exchanged."""
    result = []
    for j in range(len(grid[0])):
        result.append([row[j] for row in grid])
    return result


def trace(grid: Matrix):
    """Add up the main diagonal of grid."""
    total = 0
    for i in range(len(grid)):
        total += grid[i][i]
    return total


def anti_diagonal(grid: Matrix):
    """List the entries of grid from the top right to the bottom left corner."""
    n = len(grid)
    return [grid[i][n - 1 - i] for i in range(n)]


def row_sums(grid: Matrix):
    """Return the sum of every row of grid."""
    result = []
    for row in grid:
        result.append(sum(row))
    return result


def column_max(grid: Matrix, k: Size):
    """Return the largest entry in column k of grid, counting from 1."""
    best = grid[0][k - 1]
    for row in grid:
        best = max(best, row[k - 1])
    return best


def is_symmetric(grid: Matrix):
    """Check whether grid equals its transpose."""
    for i in range(len(grid)):
        for j in range(i):
            if grid[i][j] != grid[j][i]:
                return False
    return True


def add_grids(grid: Matrix, other: Matrix):
    """Add grid and other entry by entry."""
    result = []
    for row, line in zip(grid, other):
        result.append([x + y for x, y in zip(row, line)])
    return result


def rotate_grid(grid: Matrix):
    """Rotate grid by 90 degrees clockwise."""
    n = len(grid)
    return [[grid[n - 1 - i][j] for i in range(n)] for j in range(n)]


def count_zeros(grid: Matrix):
    """Count the zeros in grid."""
    count = 0
    for row in grid:
        for x in row:
            if x == 0:
                count += 1
    return count


def border_sum(grid: Matrix):
    """Add up the first and the last row of grid, or the only one."""
    if len(grid) == 1:
        return sum(grid[0])
    return sum(grid[0]) + sum(grid[-1])


def find_in_grid(grid: Matrix, k: Size):
    """Return the first row and column of k in grid, or None."""
    for i, row in enumerate(grid):
        for j, x in enumerate(row):
            if x == k:
                return i, j
    return None


def upper_triangle(grid: Matrix):
    """Add up the entries of grid above the main diagonal."""
    total = 0
    for i in range(len(grid)):
        for j in range(i + 1, len(grid)):
            total += grid[i][j]
    return total


def best_row(grid: Matrix):
    """Return the first position of the row of grid with the largest sum."""
    best = 0
    for i in range(1, len(grid)):
        if sum(grid[i]) > sum(grid[best]):
            best = i
    return best


def cheapest_path(grid: Matrix):
    """Return the sum of grid along its first row and then down its last column."""
    total = sum(grid[0])
    for row in grid[1:]:
        total += row[-1]
    return total


def neighbours_of(grid: Matrix, k: Size):
    """Add up the entries of grid next to position k of its first row, counting from 0."""
    total = 0
    for j in (k - 1, k + 1):
        if 0 <= j < len(grid[0]):
            total += grid[0][j]
    return total


def scale(grid: Matrix, k: Size):
    """Multiply every entry of grid by k."""
    return [[x * k for x in row] for row in grid]
