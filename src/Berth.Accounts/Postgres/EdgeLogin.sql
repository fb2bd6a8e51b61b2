-- The role an edge signs in as: a member of <prefix>_edge and nothing else. Runs as often as one likes; the password is set anew each time.
-- Names and verifier come in the settings berth.role_prefix, berth.login and berth.login_verifier.
DO $$
DECLARE
    edge  text := current_setting('berth.role_prefix') || '_edge';
    login text := current_setting('berth.login');
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = login) THEN
        EXECUTE format('CREATE ROLE %I', login);
    -- Of a role that may do more, this one's password would be taken and its rights kept.
    ELSIF EXISTS (SELECT FROM pg_roles WHERE rolname = login AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls))
        OR EXISTS (SELECT FROM pg_namespace WHERE nspname = 'berth' AND nspowner = login::regrole)
        OR EXISTS (SELECT FROM pg_auth_members WHERE member = login::regrole AND roleid <> to_regrole(quote_ident(edge)))
        OR EXISTS (SELECT FROM pg_auth_members WHERE roleid = login::regrole AND member <> current_user::regrole) THEN
        RAISE EXCEPTION 'the role % is there and may do more than an edge needs, or others are its members: name another one', login;
    END IF;
    EXECUTE format('ALTER ROLE %I LOGIN PASSWORD %L', login, current_setting('berth.login_verifier'));
    EXECUTE format('GRANT %I TO %I', edge, login);
END $$;
