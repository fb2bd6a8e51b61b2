-- Roles with no more rights than they need; runs as often as one likes, by the owner of the schema, who must be allowed to create roles.
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

    FOR t IN SELECT tablename AS name FROM pg_tables WHERE schemaname = 'berth' LOOP
        EXECUTE format('GRANT %s ON berth.%I TO %I', CASE
            WHEN t.name = 'audit_events' THEN 'SELECT, INSERT'
            WHEN t.name IN ('schema_versions', 'audit_checkpoints', 'audit_settings') THEN 'SELECT'
            ELSE 'SELECT, INSERT, UPDATE, DELETE' END, t.name, edge);
    END LOOP;
    EXECUTE format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA berth TO %I', edge);
    EXECUTE format('GRANT EXECUTE ON FUNCTION berth.expire_audit_events(timestamptz, integer) TO %I', edge);

    -- Reports: no session ids (they are in cookies), none of people's own data, no secrets.
    EXECUTE format('GRANT SELECT ON berth.people, berth.workspace_records, berth.usage, berth.audit_events, berth.audit_checkpoints, '
        'berth.schema_versions TO %I', reader);
END $$;
