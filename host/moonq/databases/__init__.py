"""SQL databases: where they are, how a statement is run within bounds, and what their errors mean.

    database = Database(spec)
    with database.session(reads_only=True) as session:
        session.run(b"SELECT id FROM orders WHERE state = :state", {"state": "new"}).rows

`address` reads URLs and needs no library; the rest is imported when a database is first used.
"""
