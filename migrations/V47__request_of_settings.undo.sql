-- Takes V47 back: the history of settings reads all requests of a server.

DROP INDEX request_of_settings;
