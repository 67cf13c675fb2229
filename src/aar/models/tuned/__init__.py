"""Students that are trained themselves, by LoRA or whole, behind the same `Model` contract as a head."""
