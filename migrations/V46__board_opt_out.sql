-- Members who do not want to be shown on leaderboards of the website.

CREATE TABLE board_opt_out (
    guild_id BIGINT NOT NULL,
    user_id  BIGINT NOT NULL,
    PRIMARY KEY (guild_id, user_id)
);
