-- Which physical camera a bodycam's number is (pairing), so that a card of any other is never read. See docs/schema.md.

create table bodycam (
  device_id text primary key references device (id),
  -- USB ids, lower-case hex.
  vendor text not null check (vendor glob '[0-9a-f][0-9a-f][0-9a-f][0-9a-f]'),
  product text not null check (product glob '[0-9a-f][0-9a-f][0-9a-f][0-9a-f]'),
  -- As the device says it: it may be a placeholder, or another's. Null when it says none.
  serial text check (serial <> ''),
  -- Serial of its file system; null where there is none, as with MTP.
  volume text check (volume <> ''),
  -- Of the file on its card that names it, where its profile knows one; null when it was not read yet.
  id_file_sha256 text check (length(id_file_sha256) = 64),
  -- A shipped profile by name, or one of the site's own by path.
  profile text not null check (profile <> ''),
  -- A role, never a person.
  paired_by text not null check (paired_by <> ''),
  paired_at_ms integer not null,
  -- When its pairing ended; null while it lasts.
  retired_at_ms integer,
  -- The entry of the newest change of any of the above.
  entry_seq integer not null references entry (seq),

  -- What this box saw of it, which no entry tells. When it was last in a slot.
  seen_at_ms integer not null,
  -- Segments up to this entry had the numbers in their file names looked at.
  counted_to integer not null,
  -- The number in the newest of those names, and when that recording began; null before the first.
  counter integer check (counter >= 0),
  counter_at_ms integer,
  check ((counter is null) = (counter_at_ms is null))
) strict;

-- Two that look the same cannot be told apart: only one of them is ever in service.
create unique index bodycam_looks on bodycam
  (vendor, product, coalesce(serial, ''), coalesce(volume, ''), coalesce(id_file_sha256, ''))
  where retired_at_ms is null;
-- `entry_seq` has no index: the rows are few.

-- The files of one camera in the order in which they came: those of bodycams only, which have a name.
create index segment_named on segment (device_id, entry_seq) where source_path is not null;

-- A pairing does not change without its entry (invariant 5).
create trigger bodycam_stays before update on bodycam
when new.device_id <> old.device_id
  or (new.entry_seq <= old.entry_seq and (
    new.vendor <> old.vendor or new.product <> old.product or new.serial is not old.serial
    or new.volume is not old.volume or new.id_file_sha256 is not old.id_file_sha256
    or new.profile <> old.profile or new.paired_by <> old.paired_by
    or new.paired_at_ms <> old.paired_at_ms or new.retired_at_ms is not old.retired_at_ms
    or new.entry_seq <> old.entry_seq
  ))
begin
  select raise(abort, 'a pairing changes with its ledger entry only');
end;

create trigger bodycam_is_of_one before insert on bodycam
when (select kind from device where id = new.device_id) is not 'bodycam'
begin
  select raise(abort, 'only a bodycam is paired');
end;

create trigger bodycam_is_kept before delete on bodycam
begin
  select raise(abort, 'a pairing is not deleted');
end;
