-- Forgets who is in membership screening: those are not welcomed when they have accepted the rules.

DROP TABLE member_arrival;
