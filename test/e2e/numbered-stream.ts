/** A publisher that numbers its QoS 1 messages, and what a subscriber's record says about them. */
import { until } from "../support/until.ts";
import type { TestClient } from "./test-client.ts";

export interface Tally {
  /** Numbers that never arrived. */
  readonly lost: readonly number[];
  /** Arrivals beyond the first of each number. */
  readonly duplicates: number;
  /** First arrivals behind a higher number. */
  readonly disordered: number;
}

export class NumberedStream {
  readonly #publisher: TestClient;
  readonly #topicOf: (number: number) => string;
  readonly #everyMs: number;
  readonly #stem: string;
  #sent = 0;
  #running = true;
  readonly #done: Promise<void>;

  /** Publishes at once and goes on until stop(); `stem` tells its payloads from others. */
  constructor(publisher: TestClient, topic: string | ((number: number) => string), everyMs: number, stem = "n") {
    this.#publisher = publisher;
    this.#topicOf = typeof topic === "string" ? () => topic : topic;
    this.#everyMs = everyMs;
    this.#stem = stem;
    this.#done = this.#run();
  }

  get sent(): number {
    return this.#sent;
  }

  async reached(number: number): Promise<void> {
    await until(`number ${number} is published`, () => this.#sent >= number || `${this.#sent}`, 30_000);
  }

  /** Stops after a broker has taken the last one; answers how many there were. */
  async stop(): Promise<number> {
    this.#running = false;
    await this.#done;
    return this.#sent;
  }

  /** Numbers from `first` to `last` as `subscriber` has them now. */
  tally(subscriber: TestClient, first = 1, last = this.#sent): Tally {
    const arrivals = subscriber.texts().flatMap((text) => {
      const [stem, number] = text.split(" ");
      return stem === this.#stem ? [Number(number)] : [];
    });
    const seen = new Set<number>();
    let duplicates = 0;
    let disordered = 0;
    let highest = 0;
    for (const number of arrivals) {
      if (number < first || number > last) continue;
      if (seen.has(number)) duplicates += 1;
      else if (number < highest) disordered += 1;
      seen.add(number);
      highest = Math.max(highest, number);
    }
    const lost: number[] = [];
    for (let number = first; number <= last; number += 1) if (!seen.has(number)) lost.push(number);
    return { lost, duplicates, disordered };
  }

  /** Waits until nothing is missing. */
  async complete(subscriber: TestClient, first = 1, last = this.#sent, timeoutMs = 15_000): Promise<Tally> {
    let tally = this.tally(subscriber, first, last);
    await until(
      `${subscriber.id} has ${this.#stem} ${first} to ${last}`,
      () => {
        tally = this.tally(subscriber, first, last);
        return tally.lost.length === 0 || `${tally.lost.length} missing: ${tally.lost.slice(0, 10)}`;
      },
      timeoutMs,
    );
    return tally;
  }

  async #run(): Promise<void> {
    // Against the clock, so that a slow moment is made up for.
    const startMs = Date.now();
    const taken: Promise<void>[] = [];
    while (this.#running) {
      while (this.#running && Date.now() - startMs >= this.#sent * this.#everyMs) {
        this.#sent += 1;
        taken.push(this.#publisher.publish(this.#topicOf(this.#sent), `${this.#stem} ${this.#sent}`));
        if (taken.length >= 500) await Promise.all(taken.splice(0));
      }
      await new Promise((again) => setTimeout(again, Math.min(this.#everyMs, 5)));
    }
    await Promise.all(taken);
  }
}
