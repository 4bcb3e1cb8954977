"""Numbers with the noun they count."""


def counted(number: int, noun: str) -> str:
    """`1 shard`, `2 shards`, `1,000 shards`."""
    return f"{number:,} {noun if number == 1 else f'{noun}s'}"
