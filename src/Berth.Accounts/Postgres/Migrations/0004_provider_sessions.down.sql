DROP INDEX berth.sessions_provider_session;
