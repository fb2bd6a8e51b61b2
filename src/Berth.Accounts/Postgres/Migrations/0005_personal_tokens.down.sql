DROP TABLE berth.personal_tokens;
DROP FUNCTION berth.notify_personal_token();
