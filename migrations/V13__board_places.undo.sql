-- Takes V13 back: the places are gone, and the XP of the week. The tiers of V1 are made right again, since a version that knows the
-- places has not kept them.

DROP TRIGGER member_xp_emptied ON member_xp;
DROP TRIGGER member_xp_deleted ON member_xp;
DROP TRIGGER member_xp_changed ON member_xp;
DROP TRIGGER member_xp_added ON member_xp;

DROP FUNCTION count_board_places();

UPDATE member_xp AS m SET xp_tier = t.tier
FROM (
    SELECT guild_id, user_id, width_bucket(xp, ARRAY(
        SELECT 5 * l * (2 * l * l + 27 * l + 91) / 6 FROM generate_series(1::bigint, 2000) AS l ORDER BY l
    )) AS tier
    FROM member_xp
) AS t
WHERE t.guild_id = m.guild_id AND t.user_id = m.user_id AND m.xp_tier <> t.tier;

ALTER TABLE member_xp DROP COLUMN by_week;
ALTER TABLE member_xp DROP COLUMN by_messages;
ALTER TABLE member_xp DROP COLUMN by_xp;
ALTER TABLE member_xp DROP COLUMN week;
ALTER TABLE member_xp DROP COLUMN week_base;

DROP FUNCTION week_place(BIGINT);
DROP FUNCTION message_place(BIGINT);
DROP FUNCTION xp_place(BIGINT);

DROP TABLE board_place;
