/** What the HTTP listener refused, for the metrics. */
import type { MetricSource } from "./agent-status.ts";
import type { MetricSet, Sample } from "./metric-set.ts";

/** Codes of answers that refuse a request for what it is, not for what it asks. */
export const REFUSAL_CODES = [
  "BAD_HOST",
  "BAD_ORIGIN",
  "FORBIDDEN",
  "BAD_API_KEY_OR_SECRET",
  "METHOD_NOT_ALLOWED",
  "UNSUPPORTED_MEDIA_TYPE",
  "REQUEST_TOO_LARGE",
  "BUSY",
] as const;
export type RefusalCode = (typeof REFUSAL_CODES)[number];

const STATUS_CODES: Readonly<Record<number, RefusalCode>> = {
  405: "METHOD_NOT_ALLOWED",
  413: "REQUEST_TOO_LARGE",
  415: "UNSUPPORTED_MEDIA_TYPE",
};

export class HttpCounters {
  /** Closed without a word, because too many were open. */
  connectionsRefused = 0;
  readonly #requests = new Map<RefusalCode, number>();

  refused(code: RefusalCode): void {
    this.#requests.set(code, (this.#requests.get(code) ?? 0) + 1);
  }

  /** An answer went out with this status. */
  answered(status: number): void {
    const code = STATUS_CODES[status];
    if (code !== undefined) this.refused(code);
  }

  requestsRefused(code: RefusalCode): number {
    return this.#requests.get(code) ?? 0;
  }
}

/** `streams`: how many are open. */
export function addHttpMetrics(metrics: MetricSet<MetricSource>, counters: HttpCounters, streams: () => number): void {
  metrics.counter(
    "http_connections_refused_total",
    "Connections to the HTTP listener that were closed at once because too many were open.",
    [],
    () => [[{}, counters.connectionsRefused]],
  );
  metrics.counter(
    "http_requests_refused_total",
    "Requests refused for what they are: a foreign Host or Origin, no token, a method, type or size that is not taken, too many at once.",
    ["code"],
    () => REFUSAL_CODES.map((code): Sample => [{ code }, counters.requestsRefused(code)]),
  );
  metrics.gauge("http_streams", "Streams of overviews that are open.", [], () => [[{}, streams()]]);
}
