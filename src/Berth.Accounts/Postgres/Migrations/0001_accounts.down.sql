-- Everything of 0001 goes, and with it all accounts: the database is then as before Berth's first start.
DROP TABLE berth.audit_events;
DROP TABLE berth.revoked_sessions;
DROP TABLE berth.sessions;
DROP TABLE berth.people;
DROP FUNCTION berth.refuse_change();
DROP FUNCTION berth.notify_epoch();
DROP FUNCTION berth.notify_revoked_session();
