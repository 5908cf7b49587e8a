/**
 * Who should have got what, decided naively. A subscription is *established* towards a publisher's cluster once a calm
 * stretch has passed over it; from then on every reliable message it matches must arrive, whatever fails, until one of
 * the things happens that memory durability does not survive (and then only what they touch is forgiven).
 */
import { matches } from "../../src/topic/algebra.ts";
import { splitShared } from "../../src/topic/filter.ts";

export interface OracleSubscription {
  readonly cluster: string;
  readonly client: string;
  readonly filter: string;
  /** Publishing clusters towards which it is established. */
  readonly established: Set<string>;
}

interface Expectation {
  readonly message: string;
  readonly subscription: OracleSubscription;
  readonly publisher: string;
  readonly atMs: number;
}

export class Oracle {
  readonly subscriptions: OracleSubscription[] = [];
  readonly failures: string[] = [];
  delivered = 0;
  expected = 0;
  #expectations: Expectation[] = [];
  readonly #copies = new Map<string, { count: number; mayRepeat: boolean; publisher: string; atMs: number }>();
  /** Since when copies of messages towards or from a cluster may repeat: a crash fell between republish and record. */
  readonly #disturbedAtMs = new Map<string, number>();
  readonly #permits: (publisher: string, receiver: string, topic: string) => boolean;

  constructor(permits: (publisher: string, receiver: string, topic: string) => boolean) {
    this.#permits = permits;
  }

  subscribed(cluster: string, client: string, filter: string): OracleSubscription {
    const subscription = { cluster, client, filter, established: new Set<string>() };
    this.subscriptions.push(subscription);
    return subscription;
  }

  unsubscribed(subscription: OracleSubscription): void {
    this.subscriptions.splice(this.subscriptions.indexOf(subscription), 1);
    this.#expectations = this.#expectations.filter((expectation) => expectation.subscription !== subscription);
  }

  published(publisher: string, topic: string, message: string, nowMs: number): void {
    for (const subscription of this.subscriptions) {
      if (subscription.cluster === publisher || !subscription.established.has(publisher)) continue;
      const { group, filter } = splitShared(subscription.filter);
      if (group !== null || !matches(filter, topic) || !this.#permits(publisher, subscription.cluster, topic)) continue;
      this.expected += 1;
      this.#expectations.push({ message, subscription, publisher, atMs: nowMs });
    }
  }

  received(cluster: string, client: string, publisher: string, message: string, publishedAtMs: number): void {
    this.delivered += 1;
    const key = `${client} ${message}`;
    const copy = this.#copies.get(key);
    if (copy === undefined) {
      this.#copies.set(key, { count: 1, mayRepeat: false, publisher, atMs: publishedAtMs });
    } else {
      copy.count += 1;
      const disturbedAtMs = Math.max(this.#disturbedAtMs.get(cluster) ?? -1, this.#disturbedAtMs.get(publisher) ?? -1);
      if (disturbedAtMs < publishedAtMs)
        this.failures.push(`${client} got message ${message} of ${publisher} ${copy.count} times`);
    }
    this.#expectations = this.#expectations.filter(
      (expectation) => expectation.message !== message || expectation.subscription.client !== client,
    );
  }

  /** The publishing side's memory is gone: with it what it had accepted, and what it knew of its peers' routes. */
  publisherLost(cluster: string): void {
    this.#expectations = this.#expectations.filter(({ publisher }) => publisher !== cluster);
    for (const subscription of this.subscriptions) subscription.established.delete(cluster);
  }

  /** Routes of `receiver` ended at `publisher` (retention, counted and reported). */
  routesLost(publisher: string, receiver: string): void {
    for (const subscription of this.subscriptions)
      if (subscription.cluster === receiver) subscription.established.delete(publisher);
  }

  disturbed(cluster: string, nowMs: number): void {
    this.#disturbedAtMs.set(cluster, nowMs);
  }

  /** After a calm stretch: nothing may be owed any more, and what is subscribed now is established. */
  settle(clusters: readonly string[]): void {
    for (const { message, subscription, publisher } of this.#expectations) {
      this.failures.push(
        `${subscription.client} (${subscription.filter} on ${subscription.cluster}) never got message ${message} of ${publisher}`,
      );
    }
    this.#expectations = [];
    this.#copies.clear();
    for (const subscription of this.subscriptions)
      for (const cluster of clusters) subscription.established.add(cluster);
  }
}
