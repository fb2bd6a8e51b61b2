-- People, sessions, audit log. Runs once, in a transaction, under the migrator's advisory lock.
CREATE TABLE berth.people (
    id           uuid PRIMARY KEY,
    issuer       text NOT NULL,
    subject      text NOT NULL,
    email        text,
    name         text,
    created_at   timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    disabled_at  timestamptz,
    epoch        bigint NOT NULL DEFAULT 0,
    CONSTRAINT people_identity UNIQUE (issuer, subject)
);

CREATE TABLE berth.sessions (
    id                  text PRIMARY KEY,
    person_id           uuid NOT NULL REFERENCES berth.people (id) ON DELETE CASCADE,
    device              text NOT NULL,
    provider_session_id text,
    epoch               bigint NOT NULL,
    created_at          timestamptz NOT NULL,
    last_seen_at        timestamptz NOT NULL,
    expires_at          timestamptz NOT NULL
);
CREATE INDEX sessions_person ON berth.sessions (person_id, expires_at);
CREATE INDEX sessions_expiry ON berth.sessions (expires_at);

-- Not a column of sessions: a session can be revoked that was never recorded here (the database was away when it began, or was restored).
CREATE TABLE berth.revoked_sessions (
    id         text PRIMARY KEY,
    revoked_at timestamptz NOT NULL,
    until      timestamptz NOT NULL
);
CREATE INDEX revoked_sessions_until ON berth.revoked_sessions (until);

CREATE TABLE berth.audit_events (
    id         uuid PRIMARY KEY,
    at         timestamptz NOT NULL,
    issuer     text,
    subject    text,
    action     text NOT NULL,
    object     text,
    outcome    text NOT NULL,
    request_id text
);
CREATE INDEX audit_events_at ON berth.audit_events (at DESC);
CREATE INDEX audit_events_actor ON berth.audit_events (issuer, subject, at DESC);
CREATE INDEX audit_events_object ON berth.audit_events (object, at DESC);

-- Revocations reach every replica however they were made, by the edge or by an administrator in psql.
CREATE FUNCTION berth.notify_revoked_session() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('berth_revocations', json_build_object('session', NEW.id, 'until', extract(epoch FROM NEW.until)::bigint)::text);
    RETURN NEW;
END $$;
CREATE TRIGGER revoked_sessions_notify AFTER INSERT ON berth.revoked_sessions
    FOR EACH ROW EXECUTE FUNCTION berth.notify_revoked_session();

CREATE FUNCTION berth.notify_epoch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('berth_revocations', json_build_object('issuer', NEW.issuer, 'subject', NEW.subject, 'epoch', NEW.epoch)::text);
    RETURN NEW;
END $$;
CREATE TRIGGER people_epoch_notify AFTER UPDATE OF epoch ON berth.people
    FOR EACH ROW WHEN (NEW.epoch > OLD.epoch) EXECUTE FUNCTION berth.notify_epoch();

-- Append-only, also for whoever owns the table by mistake.
CREATE FUNCTION berth.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'berth.audit_events is append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON berth.audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION berth.refuse_change();
