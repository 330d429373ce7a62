-- What an outside authority says of when a checkpoint was there (RFC 3161). Asked once a day, where configured.

create table timestamp (
  -- The checkpoint it is over: of its signed note, as published.
  size integer primary key references checkpoint (size),
  -- When this box asked.
  asked_at_ms integer not null,
  -- What time it was, says the authority.
  told_at_ms integer not null,
  -- TimeStampResp in DER, exactly as received and verified.
  reply blob not null check (length(reply) between 1 and 65536),
  -- When the vault had it; null while that is still to do.
  published_at_ms integer,
  entry_seq integer not null references entry (seq)
) strict;

create index timestamp_unpublished on timestamp (size) where published_at_ms is null;
create index timestamp_asked on timestamp (asked_at_ms);

create trigger timestamp_stays before update on timestamp
when new.size <> old.size or new.reply <> old.reply or new.told_at_ms <> old.told_at_ms
  or new.entry_seq <> old.entry_seq
begin
  select raise(abort, 'a timestamp does not change');
end;
