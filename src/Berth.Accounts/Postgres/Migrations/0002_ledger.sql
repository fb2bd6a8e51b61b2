-- Preferences, people's data, history and usage of workspaces; sessions know their idle end; the audit log becomes a chain.
-- What ran on 0001 goes on working: new columns have defaults or are filled by triggers.

-- Versions never repeat, also when something is deleted and made again: an old ETag cannot fit a new row.
CREATE SEQUENCE berth.versions;

ALTER TABLE berth.sessions
    ADD COLUMN idle_expires_at timestamptz,
    ADD COLUMN refresh_count   integer NOT NULL DEFAULT 0,
    ADD COLUMN workspace       text,
    ADD COLUMN started_at      timestamptz,
    ADD COLUMN ended_at        timestamptz,
    ADD COLUMN end_reason      text;
COMMENT ON COLUMN berth.sessions.idle_expires_at IS 'End unless it is used before; null for sessions of version 1.';
COMMENT ON COLUMN berth.sessions.refresh_count IS 'How often its cookie was renewed; about, since replicas write it late.';
COMMENT ON COLUMN berth.sessions.workspace IS 'The workspace it went into last.';
COMMENT ON COLUMN berth.sessions.started_at IS 'When it first went into a workspace.';

CREATE FUNCTION berth.end_revoked_session() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE berth.sessions SET ended_at = NEW.revoked_at, end_reason = 'revoked' WHERE id = NEW.id AND ended_at IS NULL;
    RETURN NEW;
END $$;
CREATE TRIGGER revoked_sessions_end AFTER INSERT ON berth.revoked_sessions
    FOR EACH ROW EXECUTE FUNCTION berth.end_revoked_session();

CREATE FUNCTION berth.end_superseded_sessions() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE berth.sessions SET ended_at = now(), end_reason = CASE WHEN NEW.disabled_at IS NULL THEN 'signed-out' ELSE 'disabled' END
    WHERE person_id = NEW.id AND epoch < NEW.epoch AND ended_at IS NULL AND expires_at > now();
    RETURN NEW;
END $$;
CREATE TRIGGER people_epoch_end AFTER UPDATE OF epoch ON berth.people
    FOR EACH ROW WHEN (NEW.epoch > OLD.epoch) EXECUTE FUNCTION berth.end_superseded_sessions();

CREATE OR REPLACE FUNCTION berth.notify_epoch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('berth_revocations', json_build_object('issuer', NEW.issuer, 'subject', NEW.subject, 'epoch', NEW.epoch,
        'disabled', NEW.disabled_at IS NOT NULL)::text);
    RETURN NEW;
END $$;

-- Keyed by identity, not by people.id: a program with a bearer token may come before its person ever signed in.
CREATE TABLE berth.preferences (
    issuer      text NOT NULL,
    subject     text NOT NULL,
    template    text,
    parameters  jsonb NOT NULL CHECK (jsonb_typeof(parameters) = 'object'),
    environment jsonb NOT NULL CHECK (jsonb_typeof(environment) = 'object'),
    version     bigint NOT NULL,
    updated_at  timestamptz NOT NULL,
    PRIMARY KEY (issuer, subject)
);

CREATE TABLE berth.user_data (
    issuer     text NOT NULL,
    subject    text NOT NULL,
    key        text NOT NULL CHECK (length(key) BETWEEN 1 AND 64),
    value      jsonb NOT NULL CHECK (octet_length(value::text) <= 131072),
    version    bigint NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (issuer, subject, key)
);

-- Every replica records what it sees of a workspace; the event's name is made from the workspace's own times, so all write the same row.
CREATE TABLE berth.workspace_records (
    workspace_uid text NOT NULL,
    event         text NOT NULL,
    issuer        text NOT NULL,
    subject       text NOT NULL,
    workspace     text NOT NULL,
    template      text,
    kind          text NOT NULL,
    reason        text,
    at            timestamptz NOT NULL,
    PRIMARY KEY (workspace_uid, event)
);
CREATE INDEX workspace_records_person ON berth.workspace_records (issuer, subject, at DESC);
CREATE INDEX workspace_records_at ON berth.workspace_records (at);

-- Seconds a run has lasted on a day (UTC), as far as any replica has seen it: only ever grows, so a repeated write counts nothing twice.
CREATE TABLE berth.usage (
    workspace_uid text NOT NULL,
    run           text NOT NULL,
    day           date NOT NULL,
    issuer        text NOT NULL,
    subject       text NOT NULL,
    workspace     text NOT NULL,
    seconds       integer NOT NULL CHECK (seconds BETWEEN 0 AND 86400),
    PRIMARY KEY (workspace_uid, run, day)
);
CREATE INDEX usage_person ON berth.usage (issuer, subject, day);

-- The audit chain. A row's hash is SHA-256 over the hash before it and the row's fields, each with its length in bytes in front.
CREATE TABLE berth.audit_settings (
    one               boolean PRIMARY KEY DEFAULT true CHECK (one),
    minimum_retention interval NOT NULL
);
INSERT INTO berth.audit_settings (minimum_retention) VALUES ('90 days');

CREATE TABLE berth.audit_checkpoints (
    seq     bigint PRIMARY KEY,
    hash    bytea NOT NULL,
    removed bigint NOT NULL,
    at      timestamptz NOT NULL DEFAULT now(),
    by      text NOT NULL DEFAULT session_user
);
COMMENT ON TABLE berth.audit_checkpoints IS 'Last event of each part that was removed for its age: the chain goes on from its hash.';

CREATE FUNCTION berth.audit_hash(previous bytea, VARIADIC fields text[]) RETURNS bytea
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT sha256(previous || convert_to(string_agg(
        CASE WHEN field IS NULL THEN '-' ELSE octet_length(convert_to(field, 'UTF8')) || ':' || field END, ',' ORDER BY place), 'UTF8'))
    FROM unnest(fields) WITH ORDINALITY AS f (field, place)
$$;

CREATE FUNCTION berth.audit_time(at timestamptz) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;

ALTER TABLE berth.audit_events ADD COLUMN seq bigint, ADD COLUMN previous bytea, ADD COLUMN hash bytea;

ALTER TABLE berth.audit_events DISABLE TRIGGER audit_events_append_only;
DO $$
DECLARE
    e    berth.audit_events;
    n    bigint := 0;
    last bytea := decode(repeat('00', 32), 'hex');
    next bytea;
BEGIN
    FOR e IN SELECT * FROM berth.audit_events ORDER BY at, id LOOP
        n := n + 1;
        next := berth.audit_hash(last, n::text, e.id::text, berth.audit_time(e.at), e.issuer, e.subject, e.action, e.object, e.outcome,
            e.request_id);
        UPDATE berth.audit_events SET seq = n, previous = last, hash = next WHERE id = e.id;
        last := next;
    END LOOP;
END $$;
ALTER TABLE berth.audit_events ENABLE TRIGGER audit_events_append_only;
ALTER TABLE berth.audit_events ALTER COLUMN seq SET NOT NULL, ALTER COLUMN previous SET NOT NULL, ALTER COLUMN hash SET NOT NULL;
CREATE UNIQUE INDEX audit_events_seq ON berth.audit_events (seq);

-- One writer at a time from here to its commit: that is what makes it one chain. Whatever an inserter says of seq and hashes is ignored.
CREATE FUNCTION berth.chain_audit_event() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    last record;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('berth.audit.chain', 0));
    IF EXISTS (SELECT FROM berth.audit_events WHERE id = NEW.id) THEN
        RETURN NULL;
    END IF;
    SELECT seq, hash INTO last FROM berth.audit_events ORDER BY seq DESC LIMIT 1;
    IF NOT FOUND THEN
        SELECT seq, hash INTO last FROM berth.audit_checkpoints ORDER BY seq DESC LIMIT 1;
    END IF;
    NEW.seq := coalesce(last.seq, 0) + 1;
    NEW.previous := coalesce(last.hash, decode(repeat('00', 32), 'hex'));
    NEW.hash := berth.audit_hash(NEW.previous, NEW.seq::text, NEW.id::text, berth.audit_time(NEW.at), NEW.issuer, NEW.subject, NEW.action,
        NEW.object, NEW.outcome, NEW.request_id);
    RETURN NEW;
END $$;
CREATE TRIGGER audit_events_chain BEFORE INSERT ON berth.audit_events
    FOR EACH ROW EXECUTE FUNCTION berth.chain_audit_event();

CREATE OR REPLACE FUNCTION berth.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('berth.expiring_audit', true) = 'on' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'berth.audit_events is append-only' USING ERRCODE = 'insufficient_privilege';
END $$;

-- The only way an event goes: the oldest ones, together, older than the owner's minimum, with a checkpoint and an event that say so.
-- Runs with the owner's rights: who may call it may do this and nothing more.
CREATE FUNCTION berth.expire_audit_events(before timestamptz, most integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    kept    interval;
    first   bigint;
    upto    record;
    removed bigint;
BEGIN
    SELECT minimum_retention INTO STRICT kept FROM berth.audit_settings;
    IF before IS NULL OR before > now() - kept THEN
        RAISE EXCEPTION 'audit events are kept for at least %', kept USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('berth.audit.chain', 0));
    SELECT min(seq) INTO first FROM berth.audit_events;
    SELECT seq, hash INTO upto FROM berth.audit_events
    WHERE seq < coalesce((SELECT min(seq) FROM berth.audit_events WHERE at >= before), 9223372036854775807)
        AND seq < first + greatest(most, 1)
    ORDER BY seq DESC LIMIT 1;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    PERFORM set_config('berth.expiring_audit', 'on', true);
    DELETE FROM berth.audit_events WHERE seq <= upto.seq;
    GET DIAGNOSTICS removed = ROW_COUNT;
    PERFORM set_config('berth.expiring_audit', '', true);
    INSERT INTO berth.audit_checkpoints (seq, hash, removed) VALUES (upto.seq, upto.hash, removed);
    INSERT INTO berth.audit_events (id, at, action, object, outcome)
    VALUES (gen_random_uuid(), now(), 'audit.expire', 'audit/' || upto.seq, 'allowed');
    RETURN removed;
END $$;
REVOKE ALL ON FUNCTION berth.expire_audit_events(timestamptz, integer) FROM PUBLIC;
