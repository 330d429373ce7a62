/**
 * The named moments at which a procedure of docs/design.md could be cut off. Each lies between two
 * durable effects. The crash tests stop the process dead at every one of them (invariant 8). In the order in
 * which the life of test/crash/life.ts comes to them.
 */
export const STEPS = [
  "seal.intended",
  "seal.created",
  "seal.header-synced",
  "seal.bytes-written",
  "seal.bytes-synced",
  "seal.named",
  "seal.durable",
  "manifest.named",
  "close.named",
  "close.handed-over",
  "record.intended",
  "record.created",
  "record.header-synced",
  "record.corrected",
  "record.bytes-synced",
  "record.named",
  "record.durable",
  "record.handed-over",
  "record.marked",
  "record.gap-told",
  "adopt.checked",
  "adopt.renamed",
  "adopt.recorded",
  "adopt.cleared",
  "store.intended",
  "store.copied",
  "store.named",
  "store.upload-begun",
  "store.upload-noted",
  "store.part-noted",
  "store.completed",
  "store.put",
  "store.read-back",
  "store.recorded",
  "store.batch-closed",
  "checkpoint.signed",
  "checkpoint.entries-put",
  "checkpoint.put",
  "checkpoint.published",
  "desk.entry-put",
  "desk.flagged",
  "hold.requested",
  "hold.flagged",
  "secure.intended",
  "secure.copied",
  "secure.recorded",
  "hold.in-force",
  "ring.overwritten",
  "ring.marked",
  "ring.unlinked",
  "ring.recorded",
  "hold.released",
  "hold.lifted",
  "secure.freed",
  "secure.emptied",
  "secure.gone",
  "timestamp.recorded",
  "timestamp.put",
  "checkpoint.rows-put",
  "destroy.marked",
  "destroy.version-moved",
  "destroy.vault-emptied",
  "destroy.spool-unlinked",
  "destroy.left-to-bucket",
  "destroy.recorded",
  "destroy.batch-closed",
  "archive.sealed",
  "archive.intended",
  "archive.put",
  "archive.recorded",
  "archive.left",
  "pair.recorded",
  "pair.noted",
  "wipe.ordered",
  "wipe.written",
  "wipe.reported",
  "wipe.cleared",
  "rebuild.ledger",
  "rebuild.rows",
  "rebuild.states",
  "rebuild.made",
  "rebuild.named",
] as const;

export type Step = (typeof STEPS)[number];

let arrive: (name: Step) => void = () => undefined;

/** Says that the procedure has come to `name`. Costs one call of an empty function in production. */
export function step(name: Step): void {
  arrive(name);
}

/** Lets a crash test watch the steps of this thread. Nothing in the program calls it. */
export function watchSteps(watcher: (name: Step) => void): void {
  arrive = watcher;
}
