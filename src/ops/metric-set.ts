/**
 * A registry of prom-client whose values are read when somebody scrapes: nothing in the data path knows that metrics
 * exist. Every name begins with `brokerlink_`.
 */

import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { DelayCounts } from "../base/delay-histogram.ts";

export type Labels = Readonly<Record<string, string>>;
export type Sample = readonly [labels: Labels, value: number];
export type DelaySample = readonly [labels: Labels, delays: DelayCounts];

const PREFIX = "brokerlink_";

export class MetricSet<Source> {
  readonly #registry = new Registry();
  readonly #histograms: ((source: Source) => string)[] = [];
  #source: Source;

  constructor(source: Source) {
    this.#source = source;
    collectDefaultMetrics({ register: this.#registry, prefix: PREFIX });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  gauge(name: string, help: string, labelNames: readonly string[], read: (source: Source) => readonly Sample[]): void {
    const metric = new Gauge({
      name: PREFIX + name,
      help,
      labelNames: [...labelNames],
      registers: [this.#registry],
      collect: () => {
        metric.reset();
        // Without labels a reset leaves a 0 behind, which would stand for what is not known.
        if (labelNames.length === 0) metric.remove();
        for (const [labels, value] of read(this.#source)) metric.set(labels, value);
      },
    });
  }

  /** `name` ends with `_total`. The totals are kept elsewhere: each scrape starts from nothing and adds them. */
  counter(
    name: `${string}_total`,
    help: string,
    labelNames: readonly string[],
    read: (source: Source) => readonly Sample[],
  ): void {
    const metric = new Counter({
      name: PREFIX + name,
      help,
      labelNames: [...labelNames],
      registers: [this.#registry],
      collect: () => {
        metric.reset();
        if (labelNames.length === 0) metric.remove();
        for (const [labels, value] of read(this.#source)) metric.inc(labels, value);
      },
    });
  }

  /** Delays in seconds. Written here: the registry's own histograms cannot be given counts that were made elsewhere. */
  histogram(name: `${string}_seconds`, help: string, read: (source: Source) => readonly DelaySample[]): void {
    const head = `# HELP ${PREFIX}${name} ${help}\n# TYPE ${PREFIX}${name} histogram\n`;
    this.#histograms.push((source) => {
      const samples = read(source).map(([labels, delays]) => histogramLines(PREFIX + name, labels, delays));
      return head + samples.flat().join("");
    });
  }

  /** Prometheus's text format; all values are of the one moment that `source` shows. */
  async render(source: Source): Promise<string> {
    this.#source = source;
    const histograms = this.#histograms.map((write) => write(source));
    return [await this.#registry.metrics(), ...histograms].join("\n");
  }
}

/** Labels are names of links: nothing in them has to be escaped. */
function histogramLines(name: string, labels: Labels, { boundsMs, counts, sumMs }: DelayCounts): string[] {
  const own = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  let total = 0;
  const buckets = counts.map((count, index) => {
    total += count;
    const boundMs = boundsMs[index];
    const le = `le="${boundMs === undefined ? "+Inf" : boundMs / 1000}"`;
    return `${name}_bucket{${[...own, le].join(",")}} ${total}\n`;
  });
  const all = own.length === 0 ? "" : `{${own.join(",")}}`;
  return [...buckets, `${name}_sum${all} ${sumMs / 1000}\n`, `${name}_count${all} ${total}\n`];
}

/** The value of a metric that is 1 or 0. */
export function flag(isSo: boolean): number {
  return isSo ? 1 : 0;
}

/** Prometheus counts time in seconds. A clock that went back makes no negative age. */
export function seconds(ms: number): number {
  return Math.max(0, ms) / 1000;
}
