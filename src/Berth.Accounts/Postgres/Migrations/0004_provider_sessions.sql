-- A provider's logout names its own session: found without reading all of ours.
CREATE INDEX sessions_provider_session ON berth.sessions (provider_session_id) WHERE provider_session_id IS NOT NULL;
