//! Pages for the staff of a server and for operators, and the API for programs.

mod numbers;
mod staff;
mod visitor;
