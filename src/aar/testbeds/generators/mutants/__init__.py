"""Making wrong versions of a function: mutate its syntax tree, execute the mutants, keep the killed ones, balance them."""
