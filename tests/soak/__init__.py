"""The same small work again and again, and whether anything grows with it: `make soak`.

Each subject is a process that lives long in the product, or does in one process what a person does
in many; it measures itself after every round. A measure that grows round by round is a leak, and
the soak fails.
"""
