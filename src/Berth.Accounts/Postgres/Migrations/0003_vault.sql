-- The token vault. What is sealed is opaque to the database; docs/vault.md says what is in it.

-- All times of the vault are the database's: replicas whose clocks differ agree on leases and on when an access token ends.
CREATE FUNCTION berth.vault_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$ SELECT clock_timestamp() $$;

CREATE TABLE berth.vault_tokens (
    id                  uuid PRIMARY KEY,
    grant_key           bytea NOT NULL,
    owner_issuer        text NOT NULL,
    owner_subject       text NOT NULL,
    connection          text NOT NULL,
    issuer              text NOT NULL,
    client_id           text NOT NULL,
    provider_subject    text,
    provider_session_id text,
    scope               text NOT NULL,
    purpose             text NOT NULL,
    state               text NOT NULL CHECK (state IN ('active', 'needs-consent', 'revoked')),
    cause               text NOT NULL DEFAULT 'none',
    version             bigint NOT NULL,
    kek_id              text,
    refresh_token       bytea,
    access_token        bytea,
    token_type          text NOT NULL DEFAULT 'Bearer',
    access_expires_at   timestamptz,
    access_lifetime     interval,
    fingerprint_key     text,
    fingerprint         bytea,
    created_at          timestamptz NOT NULL,
    refreshed_at        timestamptz NOT NULL,
    ended_at            timestamptz,
    refreshing_until    timestamptz,
    lease_id            uuid,
    committed_by        uuid,
    unanswered_since    timestamptz,
    interrupted         int NOT NULL DEFAULT 0,
    CONSTRAINT vault_tokens_sealed CHECK ((refresh_token IS NULL) = (kek_id IS NULL)),
    CONSTRAINT vault_tokens_shredded CHECK (state = 'active' OR (refresh_token IS NULL AND access_token IS NULL AND fingerprint IS NULL))
);

-- One live token per owner, connection, issuer, client, purpose and scopes: their hash, since scopes may be longer than an index entry.
CREATE UNIQUE INDEX vault_tokens_grant ON berth.vault_tokens (grant_key) WHERE state <> 'revoked';
CREATE INDEX vault_tokens_owner ON berth.vault_tokens (owner_issuer, owner_subject, connection);
CREATE INDEX vault_tokens_kek ON berth.vault_tokens (kek_id) WHERE kek_id IS NOT NULL;
CREATE INDEX vault_tokens_idle ON berth.vault_tokens (connection, refreshed_at) WHERE state = 'active';
CREATE INDEX vault_tokens_fingerprint ON berth.vault_tokens (fingerprint) WHERE fingerprint IS NOT NULL;
CREATE INDEX vault_tokens_session ON berth.vault_tokens (provider_session_id) WHERE provider_session_id IS NOT NULL AND state = 'active';
CREATE INDEX vault_tokens_ended ON berth.vault_tokens (ended_at) WHERE state = 'revoked';

-- Revocations that the provider has not been told yet; the token goes with the row.
CREATE TABLE berth.vault_outbox (
    id            uuid PRIMARY KEY,
    token_id      uuid NOT NULL,
    owner_issuer  text NOT NULL,
    owner_subject text NOT NULL,
    connection    text NOT NULL,
    issuer        text NOT NULL,
    client_id     text NOT NULL,
    kek_id        text NOT NULL,
    token         bytea NOT NULL,
    created_at    timestamptz NOT NULL,
    next_at       timestamptz NOT NULL,
    attempts      int NOT NULL DEFAULT 0
);
CREATE INDEX vault_outbox_next ON berth.vault_outbox (next_at);

-- Consents that were begun: the state parameter's hash is the key, and using one deletes it.
CREATE TABLE berth.vault_consents (
    state_hash    bytea PRIMARY KEY,
    id            uuid NOT NULL,
    owner_issuer  text NOT NULL,
    owner_subject text NOT NULL,
    session_id    text,
    connection    text NOT NULL,
    issuer        text NOT NULL,
    client_id     text NOT NULL,
    purpose       text NOT NULL,
    return_to     text,
    kek_id        text NOT NULL,
    secrets       bytea NOT NULL,
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL
);
CREATE INDEX vault_consents_owner ON berth.vault_consents (owner_issuer, owner_subject, created_at);
CREATE INDEX vault_consents_expiry ON berth.vault_consents (expires_at);

-- Something known, sealed with each key: a replica that was given another key under the same name finds out before it writes.
CREATE TABLE berth.vault_keys (
    kind       text NOT NULL CHECK (kind IN ('seal', 'fingerprint')),
    key_id     text NOT NULL,
    canary     bytea NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (kind, key_id)
);

-- Replicas hear of every change, and of every refresh that ended without one.
CREATE FUNCTION berth.notify_vault() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('berth_vault', json_build_object(
        'id', NEW.id, 'version', NEW.version, 'state', NEW.state,
        'owner', encode(sha256(convert_to(NEW.owner_issuer || E'\n' || NEW.owner_subject, 'UTF8')), 'hex'))::text);
    RETURN NEW;
END $$;
CREATE TRIGGER vault_tokens_notify_insert AFTER INSERT ON berth.vault_tokens FOR EACH ROW EXECUTE FUNCTION berth.notify_vault();
CREATE TRIGGER vault_tokens_notify_update AFTER UPDATE ON berth.vault_tokens FOR EACH ROW
    WHEN (NEW.version <> OLD.version OR NEW.state <> OLD.state OR (OLD.lease_id IS NOT NULL AND NEW.lease_id IS NULL))
    EXECUTE FUNCTION berth.notify_vault();
CREATE FUNCTION berth.notify_vault_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('berth_vault', json_build_object(
        'id', OLD.id, 'version', OLD.version, 'state', 'gone',
        'owner', encode(sha256(convert_to(OLD.owner_issuer || E'\n' || OLD.owner_subject, 'UTF8')), 'hex'))::text);
    RETURN OLD;
END $$;
CREATE TRIGGER vault_tokens_notify_delete AFTER DELETE ON berth.vault_tokens FOR EACH ROW EXECUTE FUNCTION berth.notify_vault_gone();
