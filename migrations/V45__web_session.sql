-- Sessions of the website, and sign-ins that have begun. Rows are deleted some time after they have expired.
--
-- Neither table has a secret: a browser keeps 256 random bits, and the tables their SHA-256 digests.

CREATE TABLE web_session (
    digest     BYTEA       PRIMARY KEY,
    user_id    BIGINT      NOT NULL,
    -- The user's name and language on Discord when the session began.
    name       TEXT        NOT NULL,
    locale     TEXT        NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    -- Written every few minutes of use.
    used_at    TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE INDEX web_session_user ON web_session (user_id);

-- A row is deleted when the browser comes back from Discord, so a state is accepted once.
CREATE TABLE web_sign_in (
    digest     BYTEA       PRIMARY KEY,
    -- The path of the page to show then.
    return_to  TEXT        NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
