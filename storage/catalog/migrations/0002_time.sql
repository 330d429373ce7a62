-- A local time that came twice, or never, when clocks changed, is two moments (docs/time.md).

-- The later of both; started_at_ms is the earlier, from which the term counts: nothing is kept too long
-- for it. Null for the 8,758 hours of a year in which a local time is one moment.
alter table segment add column alternative_start_ms integer check (alternative_start_ms > started_at_ms);

create trigger segment_alternative_stays before update of alternative_start_ms on segment
when new.alternative_start_ms is not old.alternative_start_ms
begin
  select raise(abort, 'what was recorded of a segment does not change');
end;
