-- Forgets the XP of earlier weeks.

DROP TABLE guild_week;

DROP TABLE member_week;
