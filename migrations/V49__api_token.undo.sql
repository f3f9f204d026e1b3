-- Forgets the tokens: programs cannot read until they have new ones.

DROP TABLE api_token;
