-- What core ordered the root helper to remove from cards, and what came of it. See docs/schema.md.

-- When the helper said that the file was removed from its card; null while it may be there.
alter table segment add column wiped_at_ms integer;

-- A signed order to wipe files of one card. Remembered before it is written where the helper finds it.
create table wipe (
  -- 32 hex digits. Used once, whatever comes of it.
  nonce text primary key check (length(nonce) = 32),
  device_id text not null references device (id),
  -- The docking it was asked for in, a ULID.
  docking text not null check (length(docking) = 26),
  how text not null check (how in ('unlink', 'overwrite')),
  -- By the wall clock, which the helper goes by as well.
  issued_at_ms integer not null,
  expires_at_ms integer not null check (expires_at_ms > issued_at_ms),
  -- The expiry by the machine's uptime, and of which start of the machine: nobody sets that clock.
  boot_id text not null,
  expires_uptime_ms integer not null,
  -- All of the card's footage is in it: without it the card is empty.
  whole integer not null check (whole in (0, 1)),
  -- Regular files on the card that are no footage by the camera's profile.
  others integer not null check (others >= 0),
  -- done, refused, failed: as the helper reported. unreported: it never did, and nobody waits for it any more.
  outcome text check (outcome in ('done', 'refused', 'failed', 'unreported')),
  -- What came of it, for who asked: JSON. Null while it is open.
  told text,
  settled_at_ms integer,
  check ((outcome is null) = (settled_at_ms is null))
) strict;

create index wipe_open on wipe (device_id) where outcome is null;
create index wipe_docking on wipe (docking);
create index wipe_settled on wipe (settled_at_ms) where outcome is not null;

-- The files of an open order, in its order. They leave when it is settled: the ledger entry has them.
create table wipe_file (
  nonce text not null references wipe (nonce),
  position integer not null check (position >= 0),
  segment_id text not null check (length(segment_id) = 26),
  primary key (nonce, position)
) strict, without rowid;

-- A file that an order did not remove: it is read once more, or somebody has to decide.
create table wipe_doubt (
  device_id text not null references device (id),
  -- Path on the card as bytes, length and time of change: what tells a file on a card from another.
  path blob not null,
  bytes integer not null,
  modified_at_ms integer not null,
  -- How many orders left it there.
  times integer not null check (times > 0),
  -- Why the last one did.
  why text not null,
  -- 1: its second read differed; it is to be taken again, and is until then not called known.
  retake integer not null check (retake in (0, 1)),
  primary key (device_id, path, bytes, modified_at_ms)
) strict, without rowid;

-- Invariant 1, where no code path can get around it: the order names only what a second place has, or
-- what is being destroyed because its term has ended.
create trigger wipe_only_what_is_safe before insert on wipe_file
when not exists (
  select 1 from segment where id = new.segment_id and plaintext_sha256 is not null and (
    exists (
      select 1 from copy where segment_id = segment.id and place in ('vault', 'secured') and state = 'present')
    or (state in ('destroying', 'destroyed') and due_provisional = 0
      and due_at_ms <= (select issued_at_ms from wipe where nonce = new.nonce))))
begin
  select raise(abort, 'no second place has these bytes');
end;

create trigger wipe_settled_stays before update on wipe
when old.outcome is not null
begin
  select raise(abort, 'what came of an order does not change');
end;
