-- Roles with no more rights than they need; runs as often as one likes, by the owner of the schema, who must be allowed to create roles
-- (once), and by itself after each migration.
-- Members of <prefix>_edge do what the edge does, members of <prefix>_reader read (reports), and neither can log in itself:
--   CREATE ROLE edge_one LOGIN PASSWORD '…' IN ROLE berth_edge;
-- The prefix comes in the setting berth.role_prefix.
DO $$
DECLARE
    edge   text := current_setting('berth.role_prefix') || '_edge';
    reader text := current_setting('berth.role_prefix') || '_reader';
    role   text;
    t      record;
BEGIN
    FOREACH role IN ARRAY ARRAY[edge, reader] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', role);
        END IF;
        EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA berth FROM %I', role);
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), role);
        EXECUTE format('GRANT USAGE ON SCHEMA berth TO %I', role);
    END LOOP;

    -- PostgreSQL lets everybody connect to every database and, before version 15, create in the schema public.
    EXECUTE format('REVOKE CONNECT, TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
    REVOKE CREATE ON SCHEMA public FROM PUBLIC;

    -- Every table is named: one that is forgotten here gives nothing to anybody, and the edge's own tests then fail.
    FOR t IN SELECT tablename AS name FROM pg_tables WHERE schemaname = 'berth' LOOP
        IF t.name IN ('people', 'sessions', 'revoked_sessions', 'preferences', 'user_data', 'workspace_records', 'usage',
                'vault_tokens', 'vault_outbox', 'vault_consents', 'vault_keys', 'personal_tokens') THEN
            EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON berth.%I TO %I', t.name, edge);
        ELSIF t.name IN ('audit_events', 'key_uses') THEN
            EXECUTE format('GRANT SELECT, INSERT ON berth.%I TO %I', t.name, edge);
        ELSIF t.name IN ('schema_versions', 'audit_checkpoints', 'audit_settings') THEN
            EXECUTE format('GRANT SELECT ON berth.%I TO %I', t.name, edge);
        END IF;

        -- Reports: no session ids (they are in cookies), none of people's own data, no secrets.
        IF t.name IN ('people', 'workspace_records', 'usage', 'audit_events', 'audit_checkpoints', 'schema_versions') THEN
            EXECUTE format('GRANT SELECT ON berth.%I TO %I', t.name, reader);
        END IF;
    END LOOP;
    EXECUTE format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA berth TO %I', edge);

    -- Missing where the schema was taken back.
    IF to_regprocedure('berth.expire_audit_events(timestamptz, integer)') IS NOT NULL THEN
        EXECUTE format('GRANT EXECUTE ON FUNCTION berth.expire_audit_events(timestamptz, integer) TO %I', edge);
    END IF;
END $$;
