import assert from "node:assert/strict";
import { test } from "node:test";
import { Backoff, type BackoffOptions } from "../../src/base/backoff.ts";

const OPTIONS: BackoffOptions = { baseMs: 100, capMs: 1_000, factor: 2, jitter: 0.5 };

test("delays double up to the cap", () => {
  const backoff = new Backoff(OPTIONS, () => 0);
  assert.deepEqual(
    Array.from({ length: 6 }, () => backoff.next()),
    [100, 200, 400, 800, 1_000, 1_000],
  );
  assert.equal(backoff.attempts, 6);
});

test("jitter only shortens, by at most its share", () => {
  const longest = new Backoff(OPTIONS, () => 0);
  const shortest = new Backoff(OPTIONS, () => 1);
  const between = new Backoff(OPTIONS, () => 0.5);
  for (let i = 0; i < 8; i += 1) {
    const mostMs = longest.next();
    assert.equal(shortest.next(), mostMs / 2);
    assert.equal(between.next(), mostMs * 0.75);
  }
});

test("success starts over", () => {
  const backoff = new Backoff(OPTIONS, () => 0);
  backoff.next();
  backoff.next();
  backoff.reset();
  assert.equal(backoff.attempts, 0);
  assert.equal(backoff.next(), 100);
});

test("the thousandth failure still waits for the cap and not for ever", () => {
  const backoff = new Backoff({ ...OPTIONS, factor: 10 }, () => 0);
  for (let i = 0; i < 1_000; i += 1) backoff.next();
  assert.equal(backoff.next(), 1_000);
});

test("impossible options are a bug", () => {
  for (const wrong of [{ baseMs: 0 }, { capMs: 50 }, { factor: 0.5 }, { jitter: 1.1 }, { jitter: -0.1 }]) {
    assert.throws(() => new Backoff({ ...OPTIONS, ...wrong }, () => 0), /bug/);
  }
});
