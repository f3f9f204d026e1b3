-- Takes V5 back: what was not delivered yet never will be, and the record of what could not be delivered is gone.

DROP TABLE effect_failure;

DROP TABLE outbox_lane;

DROP TABLE outbox;
