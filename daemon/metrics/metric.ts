/**
 * What may stand beside a value. Never a person, a secret, or where a camera is beyond its number; nor which bodycam, for its
 * wearer's shift would be read from it (docs/decisions/0037-metrics-tell-nobodys-shift.md).
 */
type Label = "alarm" | "device" | "state";

export interface Sample {
  readonly labels: Readonly<Partial<Record<Label, string>>>;
  readonly value: number;
}

/** One thing that is measured: a gauge, for all of it may fall as well as rise. */
export interface Metric {
  readonly name: MetricName;
  readonly samples: readonly Sample[];
}

interface Described {
  readonly help: string;
  readonly labels: readonly Label[];
}

/** All that is measured. Names are stable: rules and pictures of administrators are made of them. */
export const METRICS = {
  bewaard_alarm_raised: {
    help: "Things that an alarm was raised about and that are not over.",
    labels: ["alarm"],
  },
  bewaard_backup_timestamp_seconds: {
    help: "When the newest backup of the catalog was made.",
    labels: [],
  },
  bewaard_breaches: { help: "Breaches of the term that were found and last.", labels: [] },
  bewaard_camera_recording: {
    help: "Whether a camera in service is being recorded.",
    labels: ["device"],
  },
  bewaard_checkpoint_timestamp_seconds: {
    help: "When the newest signed head of the ledger was published.",
    labels: [],
  },
  bewaard_clock_trusted: { help: "Whether outside sources vouch for the time.", labels: [] },
  bewaard_desk_heard_timestamp_seconds: {
    help: "When the desk was last read to its end.",
    labels: [],
  },
  bewaard_disk_left_seconds: {
    help: "Time until the spool is full if the vault takes nothing.",
    labels: [],
  },
  bewaard_holds: { help: "Holds on segments, by state.", labels: ["state"] },
  bewaard_ring_bytes: { help: "Footage in the spool.", labels: [] },
  bewaard_ring_limit_bytes: { help: "The most footage that the spool may hold.", labels: [] },
  bewaard_segments: { help: "Segments of footage, by state.", labels: ["state"] },
  bewaard_upload_oldest_timestamp_seconds: {
    help: "When the footage came that has waited longest for the vault.",
    labels: [],
  },
} as const satisfies Readonly<Record<string, Described>>;

export type MetricName = keyof typeof METRICS;

/** One value without labels, or none where there is nothing to measure. */
export function plainMetric(name: MetricName, value: number | undefined): Metric {
  return { name, samples: value === undefined ? [] : [{ labels: {}, value }] };
}
