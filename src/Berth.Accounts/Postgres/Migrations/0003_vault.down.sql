-- Everything of 0003 goes, and with it all stored tokens: what providers still hold of them has to be revoked there.
DROP TABLE berth.vault_tokens;
DROP TABLE berth.vault_outbox;
DROP TABLE berth.vault_consents;
DROP TABLE berth.vault_keys;
DROP FUNCTION berth.notify_vault_gone();
DROP FUNCTION berth.notify_vault();
DROP FUNCTION berth.vault_now();
