-- A coordinator's mark that something happened: people are reminded of it while there is footage to hold. See docs/schema.md.

create table mark (
  -- ULID.
  id text primary key check (length(id) = 26),
  device_id text not null references device (id),
  -- When it happened, as somebody said.
  started_at_ms integer not null,
  ended_at_ms integer not null check (ended_at_ms >= started_at_ms),
  -- A role, never a person.
  by text not null check (by <> ''),
  marked_at_ms integer not null,
  -- The last of the days 7, 14 and 21 that was told of, or was over when it was marked; 0 before the first.
  reminded_day integer not null check (reminded_day in (0, 7, 14, 21))
) strict;
