-- Takes V8 back: a binary that is older than the schema is refused, whatever the schema asks for.

DROP TABLE schema_minimum;
