DROP TABLE berth.key_uses;
