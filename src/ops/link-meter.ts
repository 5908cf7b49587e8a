/**
 * Each link's messages as EMQX's API counts them, since the link began or somebody reset them: the counters behind them,
 * which Prometheus reads, only ever grow. Rates come from samples, a few seconds apart.
 */
import type { HubStatus, LinkStatus } from "../hub/status.ts";

export const SAMPLE_MS = 5_000;
const SAMPLES_MAX = 60;

/** Reasons that are the message's own fault, or a broker's word. */
const FAILURES: ReadonlySet<string> = new Set(["refused_by_broker", "too_large", "malformed"]);

export interface MetricsAnswer {
  readonly router: { readonly routes: number };
  readonly forwarding: {
    readonly matched: number;
    readonly success: number;
    readonly failed: number;
    readonly dropped: number;
    readonly retried: number;
    readonly queuing: number;
    readonly inflight: number;
    readonly rate: number;
    readonly rate_last5m: number;
    readonly rate_max: number;
  };
}

interface Totals {
  readonly matched: number;
  readonly success: number;
  readonly failed: number;
  readonly dropped: number;
  readonly retried: number;
}

interface Meter {
  base: Totals;
  /** What `matched` rose by between samples, per second; newest last. */
  readonly rates: number[];
  rateMax: number;
  last: { readonly atMs: number; readonly matched: number };
}

const NOTHING: Totals = { matched: 0, success: 0, failed: 0, dropped: 0, retried: 0 };

export class LinkMeters {
  readonly #meters = new Map<string, Meter>();

  /** To be called every SAMPLE_MS. */
  sample(hub: HubStatus, nowMs: number): void {
    const names = new Set(hub.links.map(({ name }) => name));
    for (const name of this.#meters.keys()) if (!names.has(name)) this.#meters.delete(name);
    for (const link of hub.links) {
      const totals = totalsOf(link);
      const meter = this.#meterOf(link.name, totals, nowMs);
      const seconds = (nowMs - meter.last.atMs) / 1_000;
      if (seconds <= 0) continue;
      const rate = (totals.matched - meter.last.matched) / seconds;
      meter.last = { atMs: nowMs, matched: totals.matched };
      meter.rates.push(rate);
      if (meter.rates.length > SAMPLES_MAX) meter.rates.shift();
      meter.rateMax = Math.max(meter.rateMax, rate);
    }
  }

  reset(link: LinkStatus, nowMs: number): void {
    const totals = totalsOf(link);
    this.#meters.set(link.name, newMeter(totals, totals.matched, nowMs));
  }

  /** `link` null: it is disabled, and everything is 0. */
  metrics(link: LinkStatus | null, nowMs: number): MetricsAnswer {
    if (link === null) return answer(0, NOTHING, 0, 0, null);
    const totals = totalsOf(link);
    const meter = this.#meterOf(link.name, totals, nowMs);
    return answer(link.in.routes, less(totals, meter.base), queuing(link), link.queue.inflight, meter);
  }

  #meterOf(name: string, totals: Totals, nowMs: number): Meter {
    const known = this.#meters.get(name);
    // A link that went and came again counts from nothing.
    if (known !== undefined && totals.matched >= known.last.matched && totals.retried >= known.base.retried)
      return known;
    const meter = newMeter(NOTHING, totals.matched, nowMs);
    this.#meters.set(name, meter);
    return meter;
  }
}

function newMeter(base: Totals, matched: number, nowMs: number): Meter {
  return { base, rates: [], rateMax: 0, last: { atMs: nowMs, matched } };
}

function answer(routes: number, since: Totals, waiting: number, inflight: number, meter: Meter | null): MetricsAnswer {
  const rates = meter?.rates ?? [];
  return {
    router: { routes },
    forwarding: {
      ...since,
      queuing: waiting,
      inflight,
      rate: hundredths(rates.at(-1) ?? 0),
      rate_last5m: hundredths(rates.reduce((sum, rate) => sum + rate, 0) / Math.max(1, rates.length)),
      rate_max: hundredths(meter?.rateMax ?? 0),
    },
  };
}

/** Each message that the link ever took is one of: on its way, confirmed or (QoS 0) sent, dropped, failed. */
function totalsOf(link: LinkStatus): Totals {
  let [failed, dropped] = [0, 0];
  for (const { direction, reason, count } of link.dropped) {
    if (direction !== "out") continue;
    if (FAILURES.has(reason)) failed += count;
    else dropped += count;
  }
  const success = Math.max(0, link.sent.messages - link.queue.inflight);
  const matched = success + failed + dropped + queuing(link) + link.queue.inflight;
  return { matched, success, failed, dropped, retried: link.sent.resends };
}

function queuing({ queue }: LinkStatus): number {
  return Math.max(0, queue.spooled - queue.inflight) + queue.bestEffort + queue.waiting;
}

function less(totals: Totals, base: Totals): Totals {
  return {
    matched: Math.max(0, totals.matched - base.matched),
    success: Math.max(0, totals.success - base.success),
    failed: Math.max(0, totals.failed - base.failed),
    dropped: Math.max(0, totals.dropped - base.dropped),
    retried: Math.max(0, totals.retried - base.retried),
  };
}

/** As EMQX rounds them. */
function hundredths(rate: number): number {
  return Math.max(0, Math.round(rate * 100) / 100);
}
