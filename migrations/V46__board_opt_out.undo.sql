-- Shows members again who have chosen to be hidden.

DROP TABLE board_opt_out;
