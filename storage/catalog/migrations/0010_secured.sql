-- Held footage a second time, on a separate medium (AR-20), and what makes a hold be in force. See
-- docs/schema.md.

-- A separate medium this box has met: a disk, or a bucket.
create table medium (
  id integer primary key,
  -- What it is and what is written on it, as the configuration says.
  kind text not null check (kind <> ''),
  serial text not null check (serial <> ''),
  -- What it said of itself when it was first met: another one under this name is refused.
  identity text not null unique,
  known_at_ms integer not null,
  -- When it was signed that all of it is destroyed; then it is never to be seen again.
  destroyed_at_ms integer,
  unique (kind, serial)
) strict;

create trigger medium_stays before update on medium
when new.kind <> old.kind or new.serial <> old.serial or new.identity <> old.identity
  or old.destroyed_at_ms is not null
begin
  select raise(abort, 'what was recorded of a medium does not change');
end;

-- Of a secured copy: where it lies. `leaving` may last until that medium is presented.
alter table copy add column medium_id integer references medium (id);
-- SHA-256 of the whole sealed file as it was read back from the medium, lower-case hex; of a secured copy.
alter table copy add column sha256 text check (length(sha256) = 64);
-- How many versions of it were removed; null until it is gone, and for copies in the spool.
alter table copy add column removed integer check (removed >= 0);

create trigger copy_on_medium before insert on copy
when (new.place = 'secured') <> (new.medium_id is not null)
begin
  select raise(abort, 'a secured copy, and no other, lies on a medium');
end;

-- This program never lets go of the separate copy of what is held (invariant 4).
create trigger secured_copy_held before update of state on copy
when new.place = 'secured' and new.state = 'leaving'
  and exists (select 1 from hold where segment_id = new.segment_id and released_at_ms is null)
begin
  select raise(abort, 'segment is held');
end;

-- Pseudonym of who holds, out of the desk entry; null for holds of before this was kept.
alter table hold add column owner text;
-- When every version in the vault was seen to be held; where a vault knows no holds, when the vault had a
-- checkpoint over the entry. Null again when it was seen to be lost.
alter table hold add column in_vault_at_ms integer;
-- When the separate medium was seen to have the same bytes.
alter table hold add column secured_at_ms integer;

update hold set in_vault_at_ms = in_force_at_ms where released_at_ms is null;

create index hold_to_secure on hold (segment_id) where secured_at_ms is null and released_at_ms is null;

-- What somebody signed of the destruction of a medium. It counts once another has signed the same
-- (invariant 12).
create table medium_statement (
  -- Number of the desk entry, and its link in the chain.
  desk_number integer primary key,
  link text not null check (length(link) = 64),
  -- Canonical JSON of what is stated.
  statement text not null,
  by text not null,
  -- SHA-256 of the public key it was signed with: one person under two names is one.
  key_sha256 text not null check (length(key_sha256) = 64),
  at_ms integer not null,
  -- The desk entry of who signed the same; null while nobody has.
  confirmed_number integer
) strict;
