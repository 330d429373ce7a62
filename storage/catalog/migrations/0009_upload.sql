-- What it takes to keep footage in a bucket: uploads in parts that a restart continues, and locks that
-- end by themselves. See docs/schema.md.

-- An upload in parts that has begun and is not complete. A single put leaves no row.
create table upload (
  -- Key of the object in the vault.
  key text primary key check (key <> ''),
  -- What the bucket calls it.
  upload_id text not null check (upload_id <> ''),
  begun_at_ms integer not null
) strict, without rowid;

-- A part of it that the bucket has confirmed: not sent again.
create table upload_part (
  key text not null references upload (key) on delete cascade,
  -- From 1.
  number integer not null check (number between 1 and 10000),
  etag text not null check (etag <> ''),
  primary key (key, number)
) strict, without rowid;

-- Until when a locked bucket keeps the vault's copy, whoever asks; its own rule destroys it then. Null where
-- nothing is locked.
alter table segment add column locked_until_ms integer
  check (locked_until_ms > 0 and locked_until_ms < due_at_ms);
-- Since when nothing of it is left here and the bucket's rule is awaited. Null while this box destroys it.
alter table segment add column watched_since_ms integer;
-- Of footage that was held: by when it must be gone after its release, where a bucket's rule must have its
-- time. Null: by the end of its term.
alter table segment add column gone_by_ms integer;

-- A lock that has ended makes it due (`dueSegments` has the same words, or it does not use the index).
drop index segment_due;
create index segment_due on segment (coalesce(min(due_at_ms, locked_until_ms), due_at_ms))
  where state in ('sealed', 'stored');
-- What this box must do now, each minute; and what the bucket does, looked at by the folder, each hour.
drop index segment_destroying;
create index segment_destroying on segment (id)
  where state = 'destroying' and watched_since_ms is null;
create index segment_watched on segment (device_id, started_at_ms, id)
  where state = 'destroying' and watched_since_ms is not null;
-- Oldest first, and always in the same order.
drop index segment_to_store;
create index segment_to_store on segment (started_at_ms, id) where state = 'sealed';
