/** What may stand beside a value. Never a person, a secret, or where a camera is beyond its number. */
export type Label = "alarm" | "device" | "state";

export interface Sample {
  readonly labels: Readonly<Partial<Record<Label, string>>>;
  readonly value: number;
}

/** One thing that is measured: a gauge, for all of it may fall as well as rise. */
export interface Metric {
  readonly name: MetricName;
  readonly help: string;
  readonly labels: readonly Label[];
  readonly samples: readonly Sample[];
}

/** Stable: rules and pictures of administrators are made of them. */
export const METRIC_NAMES = ["bewaard_alarm_raised", "bewaard_segments"] as const;

export type MetricName = (typeof METRIC_NAMES)[number];
