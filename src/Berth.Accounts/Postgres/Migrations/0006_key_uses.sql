-- Since when which key is in use: an alert tells of keys that were not rotated for too long. Names of keys and hashes only, never a key.
CREATE TABLE berth.key_uses (
    kind          text NOT NULL CHECK (char_length(kind) BETWEEN 1 AND 40),
    key_id        text NOT NULL CHECK (char_length(key_id) BETWEEN 1 AND 100),
    first_used_at timestamptz NOT NULL,
    PRIMARY KEY (kind, key_id)
);

-- The vault has noted its keys all along.
INSERT INTO berth.key_uses (kind, key_id, first_used_at)
SELECT CASE kind WHEN 'seal' THEN 'vault' ELSE 'vault-fingerprint' END, key_id, created_at FROM berth.vault_keys;
