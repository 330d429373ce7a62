-- What must still be done by people, and stays in sight until somebody did it. See docs/schema.md.

create table duty (
  -- ULID.
  id text primary key check (length(id) = 26),
  -- inform: tell the persons concerned that a covert camera was there (AR-41).
  kind text not null check (kind in ('inform')),
  device_id text not null references device (id),
  -- Number of the decision that allowed it.
  decision text not null check (decision <> ''),
  started_at_ms integer not null,
  -- The end of its period, as the configuration says it; moves with it until the duty is open. Of an
  -- open one: when it was over.
  ended_at_ms integer not null,
  -- Null while the period runs: the duty is to come.
  opened_at_ms integer,
  -- When somebody said that it is done, in which role, and where that is written down.
  done_at_ms integer,
  done_by text,
  reference text,
  -- The entry that opened it.
  entry_seq integer references entry (seq),
  check ((opened_at_ms is null) = (entry_seq is null)),
  check (done_at_ms is null or opened_at_ms is not null),
  check ((done_at_ms is null) = (done_by is null) and (done_at_ms is null) = (reference is null))
) strict;

-- One at a time of each decision on each camera.
create unique index duty_of on duty (device_id, decision) where done_at_ms is null;
create index duty_to_come on duty (ended_at_ms) where opened_at_ms is null;
create index duty_open on duty (opened_at_ms) where opened_at_ms is not null and done_at_ms is null;
-- `entry_seq` has no index: the rows are few.

create trigger duty_stays before update on duty
when new.id <> old.id or new.kind <> old.kind or new.device_id <> old.device_id
  or new.decision <> old.decision or new.started_at_ms <> old.started_at_ms
  or old.done_at_ms is not null
  or (old.opened_at_ms is not null and (
    new.opened_at_ms is not old.opened_at_ms or new.ended_at_ms <> old.ended_at_ms
    or new.entry_seq is not old.entry_seq
  ))
begin
  select raise(abort, 'what was recorded of a duty does not change');
end;

create trigger duty_is_kept before delete on duty
begin
  select raise(abort, 'a duty is not deleted');
end;
