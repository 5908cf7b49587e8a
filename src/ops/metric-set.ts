/**
 * A registry of prom-client whose values are read when somebody scrapes: nothing in the data path knows that metrics
 * exist. Every name begins with `brokerlink_`.
 */
import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";

export type Labels = Readonly<Record<string, string>>;
export type Sample = readonly [labels: Labels, value: number];

const PREFIX = "brokerlink_";

export class MetricSet<Source> {
  readonly #registry = new Registry();
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

  /** Prometheus's text format; all values are of the one moment that `source` shows. */
  render(source: Source): Promise<string> {
    this.#source = source;
    return this.#registry.metrics();
  }
}

/** The value of a metric that is 1 or 0. */
export function flag(isSo: boolean): number {
  return isSo ? 1 : 0;
}

/** Prometheus counts time in seconds. A clock that went back makes no negative age. */
export function seconds(ms: number): number {
  return Math.max(0, ms) / 1000;
}
