"""The maths bank: worlds of entities, problem templates, worked solutions, errors, and the checker that knows the truth."""
