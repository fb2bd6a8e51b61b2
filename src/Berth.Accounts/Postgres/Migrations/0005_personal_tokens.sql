-- Personal access tokens. Of a token there is only its SHA-256: what is here lets nobody in.
CREATE TABLE berth.personal_tokens (
    id           uuid PRIMARY KEY,
    person_id    uuid NOT NULL REFERENCES berth.people (id) ON DELETE CASCADE,
    name         text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    secret_hash  bytea NOT NULL CHECK (octet_length(secret_hash) = 32),
    scopes       text[] NOT NULL CHECK (cardinality(scopes) > 0),
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL CHECK (expires_at > created_at),
    last_used_at timestamptz,
    revoked_at   timestamptz,
    CONSTRAINT personal_tokens_secret UNIQUE (secret_hash)
);
CREATE INDEX personal_tokens_person ON berth.personal_tokens (person_id, expires_at);
CREATE INDEX personal_tokens_expiry ON berth.personal_tokens (expires_at);

-- Revocations reach every replica however they were made: by the edge, by an administrator in psql, or with the person's row.
CREATE FUNCTION berth.notify_personal_token() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('berth_revocations', json_build_object(
        'personalToken', OLD.id, 'until', extract(epoch FROM OLD.expires_at)::bigint)::text);
    RETURN OLD;
END $$;
CREATE TRIGGER personal_tokens_notify_revoked AFTER UPDATE OF revoked_at ON berth.personal_tokens FOR EACH ROW
    WHEN (OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL) EXECUTE FUNCTION berth.notify_personal_token();
CREATE TRIGGER personal_tokens_notify_deleted AFTER DELETE ON berth.personal_tokens FOR EACH ROW
    WHEN (OLD.revoked_at IS NULL AND OLD.expires_at > now()) EXECUTE FUNCTION berth.notify_personal_token();
