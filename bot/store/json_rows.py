"""Many rows as one parameter: a statement that reads them is built once, and runs once for all.

To send one statement with many sets of parameters costs the bot as much as many statements.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from bot.store.database import Insert


def json_rows(
    insert: Insert, name: str, **columns: type[sa.types.TypeEngine[Any]]
) -> sa.FromClause:
    """Return the rows of a parameter ``name``, a list of JSON objects, as a table.

    ``insert`` is that of the database that is asked.
    """
    given = sa.bindparam(name, type_=sa.JSON)
    if insert is sqlite.insert:
        row = sa.func.json_each(given).table_valued("value").c.value
        values = (
            sa.type_coerce(sa.func.json_extract(row, f"$.{one}"), kind).label(one)
            for one, kind in columns.items()
        )
        return sa.select(*values).subquery(name)
    typed = (sa.column(one, kind) for one, kind in columns.items())
    rows = sa.func.json_to_recordset(given).table_valued(*typed)
    return rows.render_derived(name=name, with_types=True)
