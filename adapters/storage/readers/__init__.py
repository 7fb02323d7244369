"""The questions a store answers, one file per family. Each is a function of a connection that only reads."""
