CREATE TABLE orders (
  id INTEGER PRIMARY KEY,
  customer TEXT UNIQUE,
  total REAL,
  big BIGINT,
  raw BLOB,
  parent INTEGER REFERENCES orders (id)
);
CREATE TABLE log (line TEXT NOT NULL);
