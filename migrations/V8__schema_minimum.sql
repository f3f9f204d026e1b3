-- Two versions of Eventide run side by side while a new one is rolled out. This row says which migration a binary has to know, at
-- least, to work with the schema: an older one does not start. A migration that takes away or tightens what the binary before it
-- still uses raises it, and its undo lowers it again.

CREATE TABLE schema_minimum (
    one     BOOLEAN NOT NULL DEFAULT true PRIMARY KEY CHECK (one),
    version BIGINT  NOT NULL
);

INSERT INTO schema_minimum (version) VALUES (8);
