import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ScanQueue, WAITING_MAX } from "../../src/ops/scan-queue.ts";

function* numbers(count: number): Generator<number> {
  for (let number = 0; number < count; number += 1) yield number;
}

/** Some time of the processor's. */
function work(ms: number): void {
  for (const endMs = performance.now() + ms; performance.now() < endMs; );
}

describe("a walk through a large table", () => {
  test("shows every entry, or stops when it is told to", async () => {
    const scans = new ScanQueue();
    let sum = 0;
    const whole = await scans.scan(
      () => numbers(1_000),
      (number) => {
        sum += number;
      },
    );
    assert.deepEqual(whole, { cut: false });
    assert.equal(sum, 499_500);
    const seen: number[] = [];
    await scans.scan(
      () => numbers(1_000),
      (number) => {
        seen.push(number);
        return number === 3;
      },
    );
    assert.deepEqual(seen, [0, 1, 2, 3]);
  });

  test("ends at the limit, and says so only when there was more", async () => {
    const scans = new ScanQueue(10);
    for (const [count, cut] of [
      [9, false],
      [10, false],
      [11, true],
    ] as const) {
      let seen = 0;
      const result = await scans.scan(
        () => numbers(count),
        () => {
          seen += 1;
        },
      );
      assert.deepEqual(result, { cut }, `${count}`);
      assert.equal(seen, Math.min(count, 10));
    }
  });

  test("lets the event loop go on, one walk of several in each round", async () => {
    const scans = new ScanQueue();
    let rounds = 0;
    let walkedInRound = 0;
    let mostInRound = 0;
    let going = true;
    const round = (): void => {
      rounds += 1;
      mostInRound = Math.max(mostInRound, walkedInRound);
      walkedInRound = 0;
      if (going) setImmediate(round);
    };
    setImmediate(round);
    const walks = Array.from({ length: 4 }, () =>
      scans.scan(
        () => numbers(256 * 20),
        (number) => {
          if (number % 256 !== 0) return;
          work(1);
          walkedInRound += 1;
        },
      ),
    );
    await Promise.all(walks);
    going = false;
    // 80 ms of work in slices of 4: twenty rounds, if nothing else keeps the machine busy.
    assert.ok(rounds >= 15, `${rounds} rounds`);
    assert.ok(mostInRound <= 8, `${mostInRound} ms in one round`);
  });

  test("waits its turn, with a limited number of others", async () => {
    const scans = new ScanQueue();
    const order: string[] = [];
    const scan = (name: string) =>
      scans.scan(
        () => numbers(3),
        (number) => {
          order.push(`${name}${number}`);
        },
      );
    const walks = [scan("a"), scan("b")];
    for (let i = 2; i < WAITING_MAX; i += 1) walks.push(scan("-"));
    assert.equal(scan("too many"), null);
    assert.equal(scans.refused, 1);
    await Promise.all(walks);
    assert.deepEqual(order.slice(0, 6), ["a0", "a1", "a2", "b0", "b1", "b2"]);
    assert.notEqual(scan("again"), null);
  });

  test("that fails fails alone", async () => {
    const scans = new ScanQueue();
    const broken = scans.scan(
      () => numbers(1),
      () => {
        throw new Error("broken");
      },
    );
    const next = scans.scan(
      () => numbers(1),
      () => undefined,
    );
    await assert.rejects(broken ?? Promise.resolve(), /broken/);
    assert.deepEqual(await next, { cut: false });
  });
});
