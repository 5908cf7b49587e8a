import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { LinkStatus } from "../../src/hub/status.ts";
import { LinkMeters } from "../../src/ops/link-meter.ts";
import { hubStatus, linkStatus } from "./agent-fixture.ts";

const IDLE = {
  sent: { ...linkStatus().sent, messages: 0, bytes: 0, frames: 0, resends: 0 },
  dropped: [],
  queue: { ...linkStatus().queue, spooled: 0, inflight: 0, bestEffort: 0, waiting: 0 },
};

/** A link that has sent so many messages. */
function sent(messages: number, changes: Partial<LinkStatus> = {}): LinkStatus {
  return linkStatus({ ...IDLE, sent: { ...IDLE.sent, messages }, ...changes });
}

function sampled(meters: LinkMeters, link: LinkStatus, nowMs: number): void {
  meters.sample(hubStatus({ links: [link] }).hub, nowMs);
}

describe("the metrics of a link in EMQX's words", () => {
  test("put each message under one of them", () => {
    const link = linkStatus({
      sent: { ...linkStatus().sent, messages: 10, bytes: 0, frames: 0, resends: 3 },
      queue: { ...linkStatus().queue, spooled: 6, inflight: 4, bestEffort: 1, waiting: 2 },
      dropped: [
        { direction: "out", reason: "spool_full", count: 5 },
        { direction: "out", reason: "refused_by_broker", count: 2 },
        { direction: "in", reason: "expired", count: 99 },
      ],
    });
    assert.deepEqual(new LinkMeters().metrics(link, 0), {
      router: { routes: 2 },
      forwarding: {
        matched: 6 + 2 + 5 + 5 + 4,
        success: 6,
        failed: 2,
        dropped: 5,
        retried: 3,
        queuing: 2 + 1 + 2,
        inflight: 4,
        rate: 0,
        rate_last5m: 0,
        rate_max: 0,
      },
    });
  });

  test("are all 0 while the link is disabled", () => {
    const { router, forwarding } = new LinkMeters().metrics(null, 0);
    assert.equal(router.routes, 0);
    assert.ok(Object.values(forwarding).every((value) => value === 0));
  });

  test("rates: now, over five minutes, and the highest", () => {
    const meters = new LinkMeters();
    sampled(meters, sent(0), 0);
    sampled(meters, sent(50), 5_000);
    sampled(meters, sent(60), 10_000);
    const { rate, rate_last5m, rate_max } = meters.metrics(sent(60), 10_000).forwarding;
    assert.deepEqual([rate, rate_last5m, rate_max], [2, 6, 10]);
    for (let at = 3; at <= 70; at += 1) sampled(meters, sent(60), at * 5_000);
    const later = meters.metrics(sent(60), 350_000).forwarding;
    assert.deepEqual([later.rate, later.rate_last5m, later.rate_max], [0, 0, 10]);
  });

  test("a reset begins at 0, but for what is so now; the counters behind are not touched", () => {
    const meters = new LinkMeters();
    const queue = { ...IDLE.queue, spooled: 3, inflight: 3 };
    sampled(meters, sent(0), 0);
    sampled(meters, sent(50), 5_000);
    meters.reset(sent(50, { queue }), 6_000);
    const { forwarding, router } = meters.metrics(sent(50, { queue }), 6_000);
    assert.deepEqual(forwarding, {
      matched: 0,
      success: 0,
      failed: 0,
      dropped: 0,
      retried: 0,
      queuing: 0,
      inflight: 3,
      rate: 0,
      rate_last5m: 0,
      rate_max: 0,
    });
    assert.equal(router.routes, 2);
    assert.equal(meters.metrics(sent(57, { queue }), 7_000).forwarding.matched, 7);
  });

  test("a link that went and came again counts from nothing", () => {
    const meters = new LinkMeters();
    sampled(meters, sent(50), 0);
    meters.reset(sent(50), 0);
    assert.equal(meters.metrics(sent(3), 1).forwarding.matched, 3);
    meters.reset(sent(3), 2);
    meters.sample(hubStatus({ links: [] }).hub, 3);
    assert.equal(meters.metrics(sent(4), 4).forwarding.matched, 4);
  });
});
