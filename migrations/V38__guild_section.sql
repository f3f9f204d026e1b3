-- Settings that a feature owns: a section of a guild's settings, with one value for each setting that was chosen.

CREATE TABLE guild_section (
    guild_id   BIGINT      NOT NULL,
    -- The feature's word, such as 'moderation'.
    section    TEXT        NOT NULL,
    -- One key for each chosen setting. IDs of roles and channels are numbers, so that they are no texts. A version that does not know a
    -- key leaves it as it is.
    settings   JSONB       NOT NULL CHECK (jsonb_typeof(settings) = 'object'),
    updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    PRIMARY KEY (guild_id, section)
);

-- Every process is told, as of the other settings.
CREATE TRIGGER guild_section_changed AFTER INSERT OR UPDATE OR DELETE ON guild_section
    FOR EACH ROW EXECUTE FUNCTION notify_guild_settings();

CREATE TRIGGER guild_section_emptied AFTER TRUNCATE ON guild_section
    FOR EACH STATEMENT EXECUTE FUNCTION notify_guild_settings();
