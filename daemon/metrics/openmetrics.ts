import type { OpenMetricsContentType } from "prom-client";
import { METRICS, type Metric } from "./metric.ts";

/** What a reader is told that the text is. */
export const OPENMETRICS: OpenMetricsContentType =
  "application/openmetrics-text; version=1.0.0; charset=utf-8";

/** `metrics` as OpenMetrics 1.0 text. Loads the library that writes it at its first use: most boxes never do. */
export async function openMetricsText(metrics: readonly Metric[]): Promise<string> {
  const { Gauge, Registry } = await import("prom-client");
  const registry = new Registry<OpenMetricsContentType>();
  registry.setContentType(OPENMETRICS);
  for (const { name, samples } of metrics) {
    // A gauge without labels is 0 until it is told otherwise: that would be a lie.
    if (samples.length === 0) continue;
    const { help, labels } = METRICS[name];
    const gauge = new Gauge({ name, help, labelNames: [...labels], registers: [registry] });
    for (const sample of samples) gauge.set({ ...sample.labels }, sample.value);
  }
  return registry.metrics();
}
