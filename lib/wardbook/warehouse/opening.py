"""Opens a database by its address, with Ibis."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from wardbook.errors import SettingsFault

if TYPE_CHECKING:
    import ibis.expr.types as ir

    OpenTable = Callable[[str], ir.Table]


@contextmanager
def open_warehouse(address: str, password: str = "") -> Iterator[OpenTable]:
    """Open a database for reading; yields what returns its tables by name.

    Args:
        address: `duckdb:///FILE`, `parquet:///FOLDER` of `NAME.parquet`, `csv:///FOLDER` of
            `NAME.csv`, `postgresql://USER@HOST/DATABASE?schema=NAME`, `spark:///FOLDER` of
            `NAME.parquet`, `oracle://USER@HOST:PORT/SERVICE`.
        password: where the database asks for one.

    Raises:
        SettingsFault: no such kind of address.
    """
    scheme = urlsplit(address).scheme
    if scheme not in _OPENERS:
        raise SettingsFault(
            f"no database is opened by {scheme}://. Write one of {', '.join(_OPENERS)}."
        )
    with _OPENERS[scheme](_add_password(address, password)) as open_table:
        yield open_table


def _add_password(address: str, password: str) -> str:
    parts = urlsplit(address)
    if not password:
        return address
    user, at, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user}:{quote(password, safe='')}{at or '@'}{host}").geturl()


@contextmanager
def _open_duckdb(address: str) -> Iterator[OpenTable]:
    import ibis

    connection = ibis.duckdb.connect(urlsplit(address).path, read_only=True)
    try:
        yield connection.table
    finally:
        connection.disconnect()


@contextmanager
def _open_files(address: str) -> Iterator[OpenTable]:
    import ibis

    parts = urlsplit(address)
    connection = ibis.duckdb.connect()
    read = connection.read_parquet if parts.scheme == "parquet" else connection.read_csv
    try:
        yield lambda name: read(Path(parts.path, f"{name}.{parts.scheme}"), table_name=name)
    finally:
        connection.disconnect()


@contextmanager
def _open_server(address: str) -> Iterator[OpenTable]:
    import ibis

    connection = ibis.connect(address)
    try:
        yield connection.table
    finally:
        connection.disconnect()


@contextmanager
def _open_spark(address: str) -> Iterator[OpenTable]:
    import ibis
    from pyspark.sql import SparkSession

    folder = Path(urlsplit(address).path)
    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "4")  # one machine: 200 would be all overhead
        .getOrCreate()
    )
    connection = ibis.pyspark.connect(session)
    try:
        yield lambda name: connection.read_parquet(folder / f"{name}.parquet")
    finally:
        session.stop()


_OPENERS = {
    "duckdb": _open_duckdb,
    "parquet": _open_files,
    "csv": _open_files,
    "postgresql": _open_server,
    "oracle": _open_server,
    "spark": _open_spark,
}
