-- Signs everyone out of the website.

DROP TABLE web_sign_in;
DROP TABLE web_session;
