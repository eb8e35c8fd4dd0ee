"""Run the migrations on the connection that ``upgrading.migration_config`` has stored."""

import warnings
from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from bot.store.engine.columns import Timestamp

INDEXES_OF_EXPRESSIONS = {"ix_chat_queues_claimable"}


def render_item(kind: str, item: Any, _autogen: AutogenContext) -> str | Literal[False]:  # noqa: ANN401 - Alembic's signature
    """Return the plain SQLAlchemy type of a ``Timestamp`` as code, or False for other items.

    Without the plain type, a migration would change when the code of the type changes.
    """
    if kind == "type" and isinstance(item, Timestamp):
        return "sa.BigInteger()"
    return False


def include_object(
    _object: object, name: str | None, kind: str, _reflected: bool, _other: object
) -> bool:
    """Return whether Alembic compares an object of the code with the database.

    The indexes in ``INDEXES_OF_EXPRESSIONS`` are not compared, because databases return these
    indexes in another form.
    """
    return kind != "index" or name not in INDEXES_OF_EXPRESSIONS


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=context.config.attributes["metadata"],
    render_as_batch=True,
    render_item=render_item,
    include_object=include_object,
)
with context.begin_transaction(), warnings.catch_warnings():
    # Alembic can't compare SQLite's indexes on expressions. The warning about these indexes has no
    # consequence.
    warnings.filterwarnings("ignore", ".*expression-based index")
    context.run_migrations()
