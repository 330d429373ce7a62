-- Which files on cards other boxes of the site took, as the desk last listed them. See docs/schema.md.

create table seen_file (
  -- A camera's number; it need not be in service here.
  device_id text not null,
  -- 16 bytes that stand for its path on the card (docs/format.md, "Seen").
  path blob not null check (length(path) = 16),
  bytes integer not null check (bytes >= 0),
  modified_at_ms integer not null,
  -- Which box has it.
  node text not null,
  sha256 text not null check (length(sha256) = 64),
  -- Until then it is not taken here.
  due_at_ms integer not null,
  primary key (device_id, path, bytes, modified_at_ms)
) strict, without rowid;
