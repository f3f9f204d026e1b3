-- eventide: no-transaction
-- Requests that changed settings, which the history of a server's settings lists, without reading all others.
--
-- Locks: none; the index is built while request is read and written.

CREATE INDEX CONCURRENTLY IF NOT EXISTS request_of_settings ON request (guild_id, request_id) WHERE before ? 'settings';
