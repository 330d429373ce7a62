-- What keeps a catalog of millions of segments quick, and what lets destroyed rows leave it for the
-- archive in the vault (docs/schema.md, "What leaves").

-- How many segments are in each state, kept by the triggers below: counting them takes seconds.
create table segment_count (
  -- A state of segment, or `archived`: destroyed, and its rows have left.
  state text primary key,
  count integer not null check (count >= 0)
) strict, without rowid;

insert into segment_count
  values ('sealed', 0), ('stored', 0), ('destroying', 0), ('destroyed', 0), ('archived', 0);
update segment_count set count = (select count(*) from segment where state = segment_count.state);

create trigger segment_count_arrives after insert on segment
begin
  update segment_count set count = count + 1 where state = new.state;
end;

create trigger segment_count_moves after update of state on segment
when new.state <> old.state
begin
  update segment_count set count = count - 1 where state = old.state;
  update segment_count set count = count + 1 where state = new.state;
end;

create trigger segment_count_leaves after delete on segment
begin
  update segment_count set count = count - 1 where state = old.state;
  update segment_count set count = count + 1 where state = 'archived';
end;

-- A search names a camera; by time alone it would pass all the others of that shift.
create index segment_device on segment (device_id, started_at_ms);

create index quarantine_provisional on quarantine (id) where due_provisional = 1;

-- An entry leaves when nothing refers to it. Without these each one would look through whole tables.
-- `device` has none: its rows are few.
create index segment_entry on segment (entry_seq);
create index hold_entry on hold (entry_seq);
create index gap_entry on gap (entry_seq);
create index quarantine_entry on quarantine (entry_seq);
create index batch_entry on batch (entry_seq);

-- Released holds leave with their segment; the index of 0001 knows open ones only.
create index hold_of_segment on hold (segment_id);

-- The archive as it was sealed. The rows of an archived batch name the segments that may leave, and
-- leave after them; the batch itself stays: it says where the archive is.
alter table batch add column archive_sha256 text check (length(archive_sha256) = 64);
alter table batch add column archive_bytes integer check (archive_bytes > 0);

-- One archive at a time: it is sealed, put, and read back before the next begins.
create unique index batch_archiving on batch (kind) where kind = 'archived' and read_back_at_ms is null;
create index batch_archive on batch (last_seq) where kind = 'archived';

-- The same rule as for segment, hold and entry (0001), for what 0001 let go freely.
create trigger copy_archived before delete on copy
when not exists (
  select 1 from batch_row join batch on batch.id = batch_row.batch_id
  where batch_row.segment_id = old.segment_id and batch.kind = 'archived'
    and batch.read_back_at_ms is not null
)
begin
  select raise(abort, 'copy is not archived');
end;

-- A row of a batch outlives its segment, and leaves once the entry that closed its batch is archived.
create trigger batch_row_archived before delete on batch_row
when exists (select 1 from segment where id = old.segment_id)
  and not exists (
    select 1 from batch where id = old.batch_id and kind = 'archived' and read_back_at_ms is null
  )
  or not exists (
    select 1 from batch where id = old.batch_id and (
      kind = 'archived' or entry_seq <= (
        select max(last_seq) from batch where kind = 'archived' and read_back_at_ms is not null
      )
    )
  )
begin
  select raise(abort, 'row of a batch is not archived');
end;

create trigger batch_archived before delete on batch
when (old.kind = 'archived' and old.read_back_at_ms is not null)
  or (old.kind <> 'archived' and (old.entry_seq is null or old.entry_seq > (
    select coalesce(max(last_seq), -1) from batch where kind = 'archived' and read_back_at_ms is not null
  )))
begin
  select raise(abort, 'batch is not archived');
end;

-- Roots of 1,024 leaves and up stay for ever (level 10, storage/ledger/kept.ts): all that leaves can
-- still be proven against them.
create trigger tree_node_archived before delete on tree_node
when old.level >= 10
  or ((old.position + 1) << old.level) > (
    select coalesce(max(last_seq) + 1, 0) from batch
    where kind = 'archived' and read_back_at_ms is not null
  )
begin
  select raise(abort, 'node of the tree is not archived');
end;
