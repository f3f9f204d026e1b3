-- Forgets what guilds chose in sections: their defaults apply.

DROP TABLE guild_section;
