"""Functions around stacks, queues, linked nodes, trees and graphs."""

# Plain loops, as people write them, and types only where test inputs come from them.
# mypy: ignore-errors
# ruff: noqa: RUF005, RUF059
from aar.testbeds.generators.code_bank.inputs import Brackets, Count, Edges, Int, Ints, Linked, Size, Tokens, Tree


def balanced(text: Brackets):
    """Check whether the round brackets in text are balanced."""
    depth = 0
    for ch in text:
        if ch == "(":
            depth += 1
        elif ch == ")":
            depth -= 1
        if depth < 0:
            return False
    return depth == 0


def max_depth(text: Brackets):
    """Return the deepest nesting of round brackets in text."""
    depth = best = 0
    for ch in text:
        if ch == "(":
            depth += 1
            best = max(best, depth)
        elif ch == ")":
            depth -= 1
    return best


def eval_postfix(tokens: Tokens):
    """Evaluate tokens in postfix notation with + and -."""
    stack = []
    for token in tokens:
        if token in ("+", "-"):
            b, a = stack.pop(), stack.pop()
            stack.append(a + b if token == "+" else a - b)
        else:
            stack.append(int(token))
    return stack[-1]


def linked_length(node: Linked):
    """Count the nodes of the linked list that starts at node."""
    count = 0
    while node is not None:
        count += 1
        node = node["next"]
    return count


def linked_values(node: Linked):
    """List the values of the linked list that starts at node."""
    values = []
    while node is not None:
        values.append(node["value"])
        node = node["next"]
    return values


def linked_sum(node: Linked):
    """Add up the values of the linked list that starts at node."""
    if node is None:
        return 0
    return node["value"] + linked_sum(node["next"])


def linked_contains(node: Linked, k: Count):
    """Check whether the linked list at node contains k."""
    while node is not None:
        if node["value"] == k:
            return True
        node = node["next"]
    return False


def tree_height(tree: Tree):
    """Return the height of tree, a triple (left, value, right) or None."""
    if tree is None:
        return 0
    left, value, right = tree
    return 1 + max(tree_height(left), tree_height(right))


def tree_sum(tree: Tree):
    """Add up the values of tree, a triple (left, value, right) or None."""
    if tree is None:
        return 0
    left, value, right = tree
    return tree_sum(left) + value + tree_sum(right)


def tree_search(tree: Tree, k: Count):
    """Check whether k is in the binary search tree of triples (left, value, right)."""
    while tree is not None:
        left, value, right = tree
        if value == k:
            return True
        tree = left if k < value else right
    return False


def tree_in_order(tree: Tree):
    """List the values of tree, a triple (left, value, right) or None, from left to right."""
    if tree is None:
        return []
    left, value, right = tree
    return tree_in_order(left) + [value] + tree_in_order(right)


def tree_leaves(tree: Tree):
    """Count the leaves of tree, a triple (left, value, right) or None."""
    if tree is None:
        return 0
    left, value, right = tree
    if left is None and right is None:
        return 1
    return tree_leaves(left) + tree_leaves(right)


def reachable(edges: Edges, k: Size):
    """List in ascending order the nodes that can be reached from k along edges."""
    seen, queue = {k}, [k]
    while queue:
        node = queue.pop(0)
        for a, b in edges:
            if a == node and b not in seen:
                seen.add(b)
                queue.append(b)
    return sorted(seen)


def degree(edges: Edges, k: Size):
    """Count the edges that start or end at node k."""
    count = 0
    for a, b in edges:
        if a == k or b == k:
            count += 1
    return count


def neighbours(edges: Edges):
    """Return a dictionary from each node to the nodes that its edges lead to."""
    result = {}
    for a, b in edges:
        result.setdefault(a, []).append(b)
    return result


def queue_rounds(numbers: Ints, k: Size):
    """Serve the jobs in numbers in turns of k units and return the number of turns."""
    queue, turns = list(numbers), 0
    while queue:
        x = queue.pop(0)
        turns += 1
        if x > k:
            queue.append(x - k)
    return turns


def next_greater(numbers: Ints):
    """For each of numbers, return the next greater element to its right, or None."""
    result = []
    for i, x in enumerate(numbers):
        later = [y for y in numbers[i + 1 :] if y > x]
        result.append(later[0] if later else None)
    return result


def josephus(n: Count, k: Size):
    """Return the last of n people in a circle when every k-th is removed."""
    people, i = list(range(n)), 0
    while len(people) > 1:
        i = (i + k - 1) % len(people)
        people.pop(i)
    return people[0]


def undo_stack(tokens: Tokens):
    """Apply tokens in order, where '-' removes the token before it."""
    stack = []
    for token in tokens:
        if token != "-":
            stack.append(token)
        elif stack:
            stack.pop()
    return stack


def last_pushed(numbers: Ints, k: Int):
    """Return the last k elements after pushing numbers one by one to a buffer of size k."""
    buffer = []
    for x in numbers:
        buffer.append(x)
        if len(buffer) > k:
            buffer.pop(0)
    return buffer
