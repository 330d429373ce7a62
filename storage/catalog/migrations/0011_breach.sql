-- Footage that was found to be older than its term without a hold (invariant 3), so that each is told once and
-- counted as long as it lasts. See docs/schema.md.

create table breach (
  -- Which look found it: `box` (catalog, ring, incoming, quarantine) or `vault` (the weekly sweep).
  looked text not null check (looked in ('box', 'vault')),
  -- A segment, a key in the vault, a name in incoming/ or quarantine/. Never a name on a card.
  what text not null check (what <> ''),
  -- Where it lies: spool, vault, secured, quarantine, incoming, unfinished.
  place text not null check (place <> ''),
  -- When its term ended.
  since_ms integer not null,
  -- When this box saw it: the 72 hours of GDPR article 33 count from here.
  discovered_at_ms integer not null,
  -- When it was looked for and not seen any more; null while it lasts.
  ended_at_ms integer,
  entry_seq integer not null references entry (seq),
  primary key (looked, what)
) strict, without rowid;

create index breach_open on breach (looked) where ended_at_ms is null;
create index breach_entry on breach (entry_seq);

create trigger breach_stays before update on breach
when new.looked <> old.looked or new.what <> old.what or new.discovered_at_ms <> old.discovered_at_ms
  or new.since_ms <> old.since_ms or new.entry_seq <> old.entry_seq
begin
  select raise(abort, 'what was recorded of a breach does not change');
end;

create trigger breach_is_kept before delete on breach
begin
  select raise(abort, 'a breach is not deleted');
end;
