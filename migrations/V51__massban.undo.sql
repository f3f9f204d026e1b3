-- Forgets who is still to be banned: those who are left stay. The cases stay.

DROP TABLE massban;
