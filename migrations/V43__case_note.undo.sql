-- Takes V43 back: the notes are gone, the cases stay.

DROP TABLE case_note;
