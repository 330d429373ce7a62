-- Where cameras are used, so that footage is found by place (AR-37). See docs/schema.md.

create table place (
  id integer primary key,
  -- As the configuration says it: "Centrum, Leyweg". Never a person.
  name text not null unique check (length(name) between 1 and 100)
) strict;

create trigger place_stays before update on place
begin
  select raise(abort, 'the name of a place does not change: footage refers to it');
end;

-- Where the camera is used now; null where nobody said.
alter table device add column place_id integer references place (id);

-- Where its camera was used at adoption: a camera that moves does not take its old footage along.
alter table segment add column place_id integer references place (id);

create index segment_place on segment (place_id, started_at_ms) where place_id is not null;

create trigger segment_place_stays before update of place_id on segment
begin
  select raise(abort, 'what was recorded of a segment does not change');
end;

-- Where the camera was used that did not record.
alter table gap add column place_id integer references place (id);
