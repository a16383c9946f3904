"""Database maintenance: fresh statistics about tables and indexes, so that it picks the right index."""

from sqlalchemy import text

from services.core.db.engine import engine, is_sqlite

LOOKED_AT = 1000
"""Rows of each index that SQLite looks at: enough to tell a good index from a poor one, a matter of milliseconds."""


def refresh_statistics() -> None:
    """Have SQLite look at its indexes. PostgreSQL does so by itself."""
    if not is_sqlite():
        return
    with engine(writes=True).connect() as connection:
        connection.execute(text(f"PRAGMA analysis_limit={LOOKED_AT}"))
        connection.execute(text("ANALYZE"))
        connection.commit()
