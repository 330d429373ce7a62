-- What core ordered the root helper to write on cards so that cameras set their clocks, and what came of it. See docs/schema.md.

-- A signed order to write the one file by which a camera sets its clock. Remembered before it is written where the helper finds it.
create table time_order (
  -- 32 hex digits. Used once, whatever comes of it.
  nonce text primary key check (length(nonce) = 32),
  device_id text not null references device (id),
  -- The docking it was asked for in, a ULID.
  docking text not null check (length(docking) = 26),
  -- When root mounted the card: a dock that was started again calls the same stay by another id.
  mounted_at_ms integer not null,
  -- The camera's clock less ours, in ms, as it was measured at this docking; null where it cannot be.
  offset_ms integer,
  -- IANA zone that the file is written in.
  zone text not null,
  -- By the wall clock, which the helper goes by as well.
  issued_at_ms integer not null,
  expires_at_ms integer not null check (expires_at_ms > issued_at_ms),
  -- The expiry by the machine's uptime, and of which start of the machine: nobody sets that clock.
  boot_id text not null,
  expires_uptime_ms integer not null,
  -- done, refused, failed: as the helper reported. unreported: it never did, and nobody waits for it any more.
  outcome text check (outcome in ('done', 'refused', 'failed', 'unreported')),
  -- The helper's word for why not; null where it said none.
  why text,
  settled_at_ms integer,
  check ((outcome is null) = (settled_at_ms is null))
) strict;

create index time_order_device on time_order (device_id);
create index time_order_open on time_order (issued_at_ms) where outcome is null;
create index time_order_settled on time_order (settled_at_ms) where outcome is not null;

create trigger time_order_settled_stays before update on time_order
when old.outcome is not null
begin
  select raise(abort, 'what came of an order does not change');
end;
