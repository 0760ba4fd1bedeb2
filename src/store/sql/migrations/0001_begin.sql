-- The same text runs on SQLite and on PostgreSQL. Times are milliseconds since 1970, UTC; `what` is JSON.

CREATE TABLE nonces (
    digest TEXT PRIMARY KEY,
    until BIGINT NOT NULL
);
CREATE INDEX nonces_until ON nonces (until);

-- What targets could not hold. Of a group itself, `server` is empty and `port` is 0.
CREATE TABLE kept (
    cloud TEXT NOT NULL,
    lane TEXT NOT NULL,
    server TEXT NOT NULL,
    port BIGINT NOT NULL,
    what TEXT NOT NULL,
    PRIMARY KEY (cloud, lane, server, port)
);

-- What was begun and is not known to have ended.
CREATE TABLE journal (
    id TEXT PRIMARY KEY,
    cloud TEXT NOT NULL,
    lane TEXT NOT NULL,
    began BIGINT NOT NULL,
    what TEXT NOT NULL
);
CREATE INDEX journal_lane ON journal (cloud, lane);

-- Answers to requests that may be repeated.
CREATE TABLE answers (
    request TEXT PRIMARY KEY,
    cloud TEXT NOT NULL,
    lane TEXT NOT NULL,
    until BIGINT NOT NULL,
    what TEXT NOT NULL
);
CREATE INDEX answers_lane ON answers (cloud, lane);
