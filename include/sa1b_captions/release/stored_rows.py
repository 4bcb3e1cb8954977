"""Rows of a release's Parquet tables, read where they lie, a row group at a time."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from sa1b_captions.errors import DamagedObjectError, MissingKeyError, PermanentError
from sa1b_captions.storage import Store
from sa1b_captions.storage.ranged_file import RangedFile


@dataclass(frozen=True, slots=True)
class _Group:
    """One row group."""

    file: int
    number: int
    """In its file."""
    start: int
    """Number of its first row in the table."""
    stop: int


class StoredRows:
    """One table over its files; holds one row group in memory."""

    def __init__(
        self,
        store: Store,
        files: Sequence[tuple[str, int]],
        columns: Sequence[str],
        convert: Callable[[pa.Table], pl.DataFrame],
    ) -> None:
        """Look at the footers of the table's files.

        Args:
            files: key and bytes of each, at least one, in the table's order.
            columns: what is read; a path such as `conversations.list.element.value` for one leaf.
            convert: makes a frame with a row for each of the table's.

        Raises PermanentError: a file is missing, is no Parquet, or lacks a column.
        """
        self._store, self._columns, self._convert = store, list(columns), convert
        self._keys = [key for key, _ in files]
        self._files = [self._open(key, size) for key, size in files]
        self._groups: list[_Group] = []
        for number, file in enumerate(self._files):
            for group in range(file.num_row_groups):
                stop = self.rows + file.metadata.row_group(group).num_rows
                self._groups.append(_Group(number, group, self.rows, stop))
        self._held: tuple[_Group, pl.DataFrame] | None = None

    @property
    def rows(self) -> int:
        """Rows of all files."""
        return self._groups[-1].stop if self._groups else 0

    def frames(self, beginning: str = "") -> Iterator[tuple[int, pl.DataFrame]]:
        """Each row group with the number of its first row.

        Args:
            beginning: leaves out groups that have no row whose `sample_id` begins so, as far as
                their statistics tell.
        """
        for group in self._groups:
            if not beginning or self._may_have(group, beginning):
                yield group.start, self._read(group)

    def _may_have(self, group: _Group, beginning: str) -> bool:
        columns = self._files[group.file].metadata.row_group(group.number)
        for number in range(columns.num_columns):
            column = columns.column(number)
            if column.path_in_schema == "sample_id" and column.is_stats_set:
                low, high = (str(one) for one in (column.statistics.min, column.statistics.max))
                return low[: len(beginning)] <= beginning <= high[: len(beginning)]
        return True

    def slice(self, start: int, stop: int) -> pl.DataFrame:
        """Rows from `start` to before `stop`, at least one; cheap when slices ascend."""
        return pl.concat(
            self._read(group)[max(start - group.start, 0) : stop - group.start]
            for group in self._groups
            if group.start < stop and start < group.stop
        )

    def _open(self, key: str, size: int) -> pq.ParquetFile:
        try:
            # Not pre-buffered: see records.parse_table.
            file = pq.ParquetFile(
                pa.PythonFile(RangedFile(self._store, key, size), mode="r"),
                pre_buffer=False,
                page_checksum_verification=True,
            )
        except MissingKeyError:
            raise
        except (pa.ArrowException, PermanentError) as error:
            raise self._damaged(key, error) from None
        there = file.schema_arrow.names
        lacking = [name for name in self._columns if name.partition(".")[0] not in there]
        if lacking:
            raise self._damaged(key, f"it has no column {lacking[0]}")
        return file

    def _read(self, group: _Group) -> pl.DataFrame:
        if self._held is None or self._held[0] != group:
            try:
                table = self._files[group.file].read_row_group(
                    group.number, columns=self._columns, use_threads=False
                )
                table.validate(full=True)  # or bytes that are no UTF-8 would only be found later
            except (pa.ArrowException, OSError, PermanentError) as error:
                raise self._damaged(self._keys[group.file], error) from None
            self._held = group, self._convert(table)
        return self._held[1]

    def _damaged(self, key: str, why: object) -> DamagedObjectError:
        return DamagedObjectError(
            f"{self._store.locate(key)} cannot be read ({' '.join(str(why).split())}); "
            "sa1b-captions verify says what is damaged"
        )
