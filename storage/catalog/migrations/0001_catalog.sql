-- What this box keeps, what it did with it, and the ledger that proves it. See docs/schema.md.
-- Times are whole milliseconds since 1970-01-01T00:00:00Z. Rows are not deleted, see the last triggers.

-- The custody log: leaf `seq` of an RFC 6962 tree is SHA-256(0x00 || body).
create table entry (
  -- Leaf index, from 0, without gaps.
  seq integer primary key check (seq >= 0),
  at_ms integer not null check (at_ms > 0),
  kind text not null check (kind <> ''),
  -- Canonical JSON (RFC 8785), exactly the bytes that were hashed.
  body text not null
) strict;

-- Hashes of complete subtrees: level 0 are the leaves.
create table tree_node (
  level integer not null check (level >= 0),
  position integer not null check (position >= 0),
  hash blob not null check (length(hash) = 32),
  primary key (level, position)
) strict, without rowid;

-- Personal detail of an entry. The entry carries SHA-256(salt || body) only, so this row can be
-- erased at its own term (R-02) and the tree still verifies.
create table detail (
  entry_seq integer primary key references entry (seq),
  salt blob not null check (length(salt) = 16),
  body text not null,
  erase_after_ms integer not null
) strict;

create index detail_term on detail (erase_after_ms);

-- Signed heads (C2SP checkpoint), each over the first `size` entries.
create table checkpoint (
  size integer primary key check (size > 0),
  at_ms integer not null,
  -- The signed note, as published.
  note text not null,
  -- When the vault had it and every entry under it; null while that is still to do.
  published_at_ms integer
) strict;

create index checkpoint_unpublished on checkpoint (size) where published_at_ms is null;

create table device (
  -- Camera number, lower case.
  id text primary key check (length(id) between 1 and 32),
  kind text not null check (kind in ('bodycam', 'camera')),
  paired_at_ms integer not null check (paired_at_ms >= 0),
  -- When bewaard last saw it empty of everything it had; null before the first time.
  emptied_at_ms integer,
  entry_seq integer not null references entry (seq)
) strict;

create table segment (
  -- ULID; also the file name in the spool and the end of the key in the vault.
  id text primary key check (length(id) = 26),
  device_id text not null references device (id),
  -- Which producer handed it over: its folder in incoming/.
  producer text not null,

  -- First frame, as far as known; see time_trust.
  started_at_ms integer not null check (started_at_ms > 0),
  ended_at_ms integer check (ended_at_ms >= started_at_ms),
  time_source text not null check (time_source in ('name', 'container', 'modified', 'arrival', 'stream')),
  -- trusted:   the start is used for the term
  -- untrusted: the term counts from arrival less the longest time undocked
  -- overdue:   claims to be over its term, untrusted: spool only, 72 hours
  time_trust text not null check (time_trust in ('trusted', 'untrusted', 'overdue')),
  -- When the producer had sealed it, by this machine's clock.
  arrived_at_ms integer not null check (arrived_at_ms > 0),
  -- The same moment by the machine's uptime, and of which start of the machine.
  arrived_boot_id text not null,
  arrived_uptime_ms integer not null check (arrived_uptime_ms >= 0),
  -- What was known of the camera's clock: see docs/time.md.
  clock_declared text not null check (clock_declared in ('synchronised', 'unknown')),
  clock_offset_ms integer,
  -- From this moment it must be destroyed, unless held (invariant 3). Never moves later.
  due_at_ms integer not null,
  -- 1 while wall time was not trusted at arrival: due_at_ms is reckoned again once it is, and only then.
  due_provisional integer not null default 0 check (due_provisional in (0, 1)),

  -- Path on the card as bytes; null for a wall camera.
  source_path blob,
  source_modified_at_ms integer,
  -- SHA-256 of the bytes as first stored, lower-case hex.
  plaintext_sha256 text not null check (length(plaintext_sha256) = 64),
  plaintext_bytes integer not null check (plaintext_bytes >= 0),
  ciphertext_bytes integer not null check (ciphertext_bytes > 0),
  -- SHA-256 of each 64 MiB part of the sealed file, 32 bytes each, one behind the other.
  part_sha256 blob not null check (length(part_sha256) > 0 and length(part_sha256) % 32 = 0),
  -- UTC day of the identity it is sealed to.
  sealed_for text not null,
  -- Producer died while sealing: closed as it was, salvageable to its last whole chunk.
  truncated integer not null default 0 check (truncated in (0, 1)),
  -- What was done to the camera's bytes, as JSON; null when nothing was.
  rewritten text,

  -- sealed:     encrypted, fsynced, adopted into the spool
  -- stored:     the vault holds the same bytes (digests compared)
  -- destroying: may be deleted; file and object may or may not still exist
  -- destroyed:  file and object are gone and were looked for again; only this row remains
  state text not null check (state in ('sealed', 'stored', 'destroying', 'destroyed')),
  entry_seq integer not null references entry (seq)
) strict;

-- The same file taken twice from a card is one segment (invariant 8).
create unique index segment_source on segment (device_id, source_path, plaintext_sha256)
  where source_path is not null;
create index segment_find on segment (started_at_ms, device_id);
create index segment_to_store on segment (started_at_ms) where state = 'sealed';
create index segment_due on segment (due_at_ms) where state in ('sealed', 'stored');
create index segment_overdue on segment (due_at_ms) where state in ('sealed', 'stored', 'destroying');
create index segment_provisional on segment (id) where due_provisional = 1;
create index segment_destroying on segment (id) where state = 'destroying';

-- Where the bytes of a segment are. Evicting a spool copy changes a row here, never the segment.
create table copy (
  segment_id text not null references segment (id),
  place text not null check (place in ('spool', 'vault', 'secured')),
  -- writing: bytes may be there in part
  -- present: the same bytes are there
  -- leaving: may be deleted
  -- gone:    deleted and looked for again
  state text not null check (state in ('writing', 'present', 'leaving', 'gone')),
  -- Object version in the vault; null in the spool.
  version_id text,
  bytes integer not null check (bytes > 0),
  changed_at_ms integer not null,
  primary key (segment_id, place)
) strict, without rowid;

create index copy_place on copy (place, state, changed_at_ms);

-- How many bytes of footage the spool holds, kept by the triggers below so that asking costs nothing.
create table spool_use (
  one integer primary key check (one = 1),
  bytes integer not null
) strict;
insert into spool_use values (1, 0);

create trigger spool_grows after insert on copy
when new.place = 'spool' and new.state <> 'gone'
begin
  update spool_use set bytes = bytes + new.bytes;
end;

create trigger spool_shrinks after update of state on copy
when new.place = 'spool' and new.state = 'gone' and old.state <> 'gone'
begin
  update spool_use set bytes = bytes - old.bytes;
end;

-- A hold (veiligstelling) on one segment, bound to an incident (DH-08, AR-28). Several may overlap.
-- The segment may not have arrived yet: then it is held from the moment it does.
create table hold (
  hold_id text not null check (length(hold_id) = 26),
  segment_id text not null check (length(segment_id) = 26),
  incident text not null check (incident <> ''),
  -- Number of the desk entry that asked for it.
  desk_number integer not null,
  review_at_ms integer not null,
  requested_at_ms integer not null,
  -- When the hold was read back from the vault; null: asked for, not yet safe.
  in_force_at_ms integer,
  released_at_ms integer,
  -- When, after the release, the vault was seen not to hold it any more.
  lifted_at_ms integer,
  entry_seq integer not null references entry (seq),
  primary key (hold_id, segment_id)
) strict, without rowid;

create index hold_segment on hold (segment_id) where released_at_ms is null;
create index hold_to_lift on hold (segment_id) where released_at_ms is not null and lifted_at_ms is null;
create index hold_requested on hold (hold_id) where in_force_at_ms is null and released_at_ms is null;

-- What was not recorded, or not kept: start, end and cause (invariant 9).
create table gap (
  id text primary key check (length(id) = 26),
  device_id text not null references device (id),
  started_at_ms integer not null,
  ended_at_ms integer not null check (ended_at_ms >= started_at_ms),
  cause text not null check (cause <> ''),
  entry_seq integer not null references entry (seq)
) strict;

create index gap_find on gap (started_at_ms, device_id);

-- Many rows, one ledger entry: changes of state are listed here as they happen, and the entry that
-- closes the batch carries the RFC 6962 root over the rows.
create table batch (
  id integer primary key,
  kind text not null check (kind in ('stored', 'destroying', 'destroyed', 'evicted', 'archived')),
  opened_at_ms integer not null,
  root blob check (length(root) = 32),
  -- The closing entry; null while the batch is open.
  entry_seq integer references entry (seq),
  -- Archive of old rows (kind archived): its key in the vault, the entries in it, and when it was read back.
  archive_key text,
  first_seq integer,
  last_seq integer,
  read_back_at_ms integer
) strict;

create unique index batch_open on batch (kind) where entry_seq is null and kind <> 'archived';

create table batch_row (
  batch_id integer not null references batch (id),
  position integer not null check (position >= 0),
  -- No reference: the row outlives its segment, it is what proves the archive.
  segment_id text not null check (length(segment_id) = 26),
  -- Canonical JSON, exactly the bytes of the leaf.
  body text not null,
  primary key (batch_id, position)
) strict, without rowid;

create index batch_row_segment on batch_row (segment_id);

-- A manifest core did not believe, with whatever lay beside it. Never dropped, never kept too long.
create table quarantine (
  -- Folder name in quarantine/.
  id text primary key check (length(id) = 26),
  producer text not null,
  -- File name in incoming/ as bytes.
  name blob not null,
  code text not null,
  arrived_at_ms integer not null,
  due_at_ms integer not null,
  -- 1 while wall time was not trusted then, as in segment.
  due_provisional integer not null default 0 check (due_provisional in (0, 1)),
  destroyed_at_ms integer,
  entry_seq integer not null references entry (seq)
) strict;

create index quarantine_due on quarantine (due_at_ms) where destroyed_at_ms is null;

-- Small facts about this box: which spool it knows, how far it has read the desk, when time was confirmed.
create table fact (
  name text primary key,
  value text not null
) strict, without rowid;

-- ---------------------------------------------------------------------------------------------
-- The rules, where no code path can get around them.

-- Held footage never becomes destroying (invariant 4).
create trigger segment_held before update of state on segment
when new.state in ('destroying', 'destroyed')
  and exists (select 1 from hold where segment_id = old.id and released_at_ms is null)
begin
  select raise(abort, 'segment is held');
end;

-- A hold that comes too late is told so.
create trigger hold_too_late before insert on hold
when (select state from segment where id = new.segment_id) in ('destroying', 'destroyed')
begin
  select raise(abort, 'segment is already being destroyed');
end;

create trigger hold_is_final before update on hold
when (old.released_at_ms is not null and new.lifted_at_ms is null)
  or new.released_at_ms is null and old.released_at_ms is not null
  or new.hold_id <> old.hold_id or new.segment_id <> old.segment_id
begin
  select raise(abort, 'a released hold does not change');
end;

create trigger segment_moves_forward before update of state on segment
when not (
  (old.state = 'sealed' and new.state in ('stored', 'destroying'))
  or (old.state = 'stored' and new.state = 'destroying')
  or (old.state = 'destroying' and new.state = 'destroyed')
)
begin
  select raise(abort, 'no such change of state');
end;

create trigger segment_destroyed_is_gone before update of state on segment
when new.state = 'destroyed'
  and exists (select 1 from copy where segment_id = old.id and state <> 'gone')
begin
  select raise(abort, 'a copy is not gone yet');
end;

create trigger segment_stored_is_there before update of state on segment
when new.state = 'stored'
  and not exists (
    select 1 from copy where segment_id = old.id and place = 'vault' and state = 'present'
  )
begin
  select raise(abort, 'the vault has no copy');
end;

create trigger segment_facts_stay before update on segment
when new.id <> old.id or new.device_id <> old.device_id
  or new.started_at_ms <> old.started_at_ms or new.arrived_at_ms <> old.arrived_at_ms
  or (new.due_at_ms > old.due_at_ms and old.due_provisional = 0)
  or new.due_provisional > old.due_provisional
  or new.plaintext_sha256 <> old.plaintext_sha256 or new.part_sha256 <> old.part_sha256
begin
  select raise(abort, 'what was recorded of a segment does not change');
end;

create trigger entry_stays before update on entry
begin
  select raise(abort, 'a ledger entry does not change');
end;

create trigger entry_follows before insert on entry
when new.seq <> (select coalesce(max(seq) + 1, 0) from entry)
begin
  select raise(abort, 'ledger entries follow each other without gaps');
end;

create trigger tree_node_stays before update on tree_node
begin
  select raise(abort, 'a node of the tree does not change');
end;

-- Rows leave only for an archive that lies in the vault and was read back.
create trigger segment_archived before delete on segment
when not exists (
  select 1 from batch_row join batch on batch.id = batch_row.batch_id
  where batch_row.segment_id = old.id and batch.kind = 'archived'
    and batch.read_back_at_ms is not null and old.state = 'destroyed'
)
begin
  select raise(abort, 'segment is not archived');
end;

create trigger hold_archived before delete on hold
when not exists (
  select 1 from batch_row join batch on batch.id = batch_row.batch_id
  where batch_row.segment_id = old.segment_id and batch.kind = 'archived'
    and batch.read_back_at_ms is not null and old.released_at_ms is not null
)
begin
  select raise(abort, 'hold is not archived');
end;

create trigger entry_archived before delete on entry
when not exists (
  select 1 from batch where kind = 'archived' and read_back_at_ms is not null
    and old.seq between first_seq and last_seq
)
begin
  select raise(abort, 'ledger entry is not archived');
end;
