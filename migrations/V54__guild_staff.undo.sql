-- Lists of servers on the website are made in another way.
--
-- Locks: web_session, for as long as the catalog takes to change.

ALTER TABLE web_session DROP COLUMN servers_at;
ALTER TABLE web_session DROP COLUMN servers;

DROP TABLE guild_staff;
