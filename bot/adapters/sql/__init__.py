"""Everything durable, in SQLite or PostgreSQL, through SQLAlchemy 2."""
