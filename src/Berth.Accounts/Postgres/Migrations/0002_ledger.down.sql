-- Preferences, people's data, history, usage and the chain's hashes go; people, sessions, revocations and audit events stay.
DROP FUNCTION berth.expire_audit_events(timestamptz, integer);
CREATE OR REPLACE FUNCTION berth.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'berth.audit_events is append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
DROP TRIGGER audit_events_chain ON berth.audit_events;
DROP FUNCTION berth.chain_audit_event();
ALTER TABLE berth.audit_events DROP COLUMN seq, DROP COLUMN previous, DROP COLUMN hash;
DROP FUNCTION berth.audit_time(timestamptz);
DROP FUNCTION berth.audit_hash(bytea, text[]);
DROP TABLE berth.audit_checkpoints;
DROP TABLE berth.audit_settings;
DROP TABLE berth.usage;
DROP TABLE berth.workspace_records;
DROP TABLE berth.user_data;
DROP TABLE berth.preferences;
CREATE OR REPLACE FUNCTION berth.notify_epoch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('berth_revocations', json_build_object('issuer', NEW.issuer, 'subject', NEW.subject, 'epoch', NEW.epoch)::text);
    RETURN NEW;
END $$;
DROP TRIGGER people_epoch_end ON berth.people;
DROP FUNCTION berth.end_superseded_sessions();
DROP TRIGGER revoked_sessions_end ON berth.revoked_sessions;
DROP FUNCTION berth.end_revoked_session();
ALTER TABLE berth.sessions
    DROP COLUMN idle_expires_at, DROP COLUMN refresh_count, DROP COLUMN workspace, DROP COLUMN started_at, DROP COLUMN ended_at,
    DROP COLUMN end_reason;
DROP SEQUENCE berth.versions;
