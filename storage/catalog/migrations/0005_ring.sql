-- What the ring may overwrite is found at once, however long the vault is away and however much of
-- what is stored has left the spool long ago. See docs/schema.md.

-- 1 once the vault has the same bytes. Kept by the trigger below, for an index cannot look at `segment`.
alter table copy add column stored integer not null default 0 check (stored in (0, 1));

update copy set stored = 1
where place = 'spool'
  and (select state from segment where id = copy.segment_id) <> 'sealed';

create trigger copy_stored after update of state on segment
when new.state = 'stored'
begin
  update copy set stored = 1 where segment_id = new.id and place = 'spool';
end;

-- The oldest first: a spool copy changes for the first time when it is marked.
create index copy_evictable on copy (changed_at_ms, segment_id)
  where place = 'spool' and state = 'present' and stored = 1;
create index copy_evicting on copy (segment_id) where place = 'spool' and state = 'leaving';
