-- Takes V20 back: changes of many members that are under way stay half done.

DROP TABLE mass_change;
