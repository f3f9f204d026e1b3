-- Forgets what is to be done later. Boosts that have ended are deleted when another one begins, as before.

DROP TABLE timer;
