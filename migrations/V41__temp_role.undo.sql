-- Forgets until when roles were given: members keep them.

DROP TABLE temp_role;
