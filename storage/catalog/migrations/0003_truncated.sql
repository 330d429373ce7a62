-- Segments whose plaintext nobody has seen whole, and files that stay on a card. See docs/schema.md.

-- A truncated segment has no hash of its plaintext before somebody opens it, so these two columns may be
-- null. SQLite 3.52 cannot drop `not null`. Two ways remain: to edit sqlite_schema by hand, where one
-- wrong letter makes the file unreadable, or to put a column without it in the old one's place, with
-- statements that SQLite checks. This is the second; it rewrites the table once.
drop index segment_source;
drop trigger segment_facts_stay;

alter table segment rename column plaintext_sha256 to plaintext_sha256_known;
alter table segment rename column plaintext_bytes to plaintext_bytes_known;
-- SHA-256 of the bytes as first stored, lower-case hex; null when truncated.
alter table segment add column plaintext_sha256 text check (length(plaintext_sha256) = 64);
-- Null when truncated.
alter table segment add column plaintext_bytes integer check (plaintext_bytes >= 0);
update segment set plaintext_sha256 = plaintext_sha256_known, plaintext_bytes = plaintext_bytes_known;
alter table segment drop column plaintext_sha256_known;
alter table segment drop column plaintext_bytes_known;

-- The same file taken twice from a card is one segment (invariant 8). A truncated one is never the same
-- as another: nulls differ.
create unique index segment_source on segment (device_id, source_path, plaintext_sha256)
  where source_path is not null;

create trigger segment_plaintext_known before insert on segment
when (new.plaintext_sha256 is null) <> new.truncated or (new.plaintext_bytes is null) <> new.truncated
begin
  select raise(abort, 'the plaintext is known unless the segment is truncated');
end;

-- As before; and what is null stays null.
create trigger segment_facts_stay before update on segment
when new.id <> old.id or new.device_id <> old.device_id
  or new.started_at_ms <> old.started_at_ms or new.arrived_at_ms <> old.arrived_at_ms
  or (new.due_at_ms > old.due_at_ms and old.due_provisional = 0)
  or new.due_provisional > old.due_provisional
  or new.plaintext_sha256 is not old.plaintext_sha256
  or new.plaintext_bytes is not old.plaintext_bytes
  or new.part_sha256 <> old.part_sha256
begin
  select raise(abort, 'what was recorded of a segment does not change');
end;

-- A file or folder on a card that could not be taken. It stays where it is, and somebody must decide.
create table left_file (
  -- Id of the manifest that said so.
  id text primary key check (length(id) = 26),
  device_id text not null references device (id),
  -- Path on the card as bytes; of a folder that cannot be listed, the folder's.
  path blob not null,
  -- As listed; null for a folder.
  bytes integer check (bytes >= 0),
  modified_at_ms integer,
  -- Why it could not be taken: a heading of docs/troubleshooting.md.
  code text not null check (code <> ''),
  left_at_ms integer not null,
  -- Before this moment somebody decides: its footage may be at the end of its term (invariant 3).
  decide_by_ms integer not null,
  -- When it was taken after all, and as which segment; null while it is on the card only.
  taken_at_ms integer,
  taken_as text check (length(taken_as) = 26),
  entry_seq integer not null references entry (seq),
  check ((taken_at_ms is null) = (taken_as is null))
) strict;

create index left_file_open on left_file (device_id, path) where taken_at_ms is null;
