//! The integration tests: one binary, real PostgreSQL, and the simulator in place of Discord.

mod embedded;
