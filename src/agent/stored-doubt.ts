/**
 * Tells what clients publish now from what the broker had stored, where both come with the retain flag: on MQTT 3.1.1, which
 * has no Retain Handling, every SUBSCRIBE brings the stored messages. From SUBSCRIBE on those that its filters match are in
 * doubt, until a sentinel, published by the link session after SUBACK, has come through the data session behind them.
 *
 * A broker may send stored messages at its leisure (Aedes does): a round in which one came proves nothing and is followed by
 * another. Clients that publish retained messages in every round look the same, so the rounds are limited.
 * Where a broker does not know the bridge bit, the flag means "stored" always; on MQTT 5 we have stored messages not sent.
 */
import type { MqttSession } from "../mqtt/session.ts";
import type { SessionUp } from "../mqtt/session-options.ts";
import { matches } from "../topic/algebra.ts";

const ASK_AGAIN_MS = 5_000;
/** Of a few milliseconds each: Aedes sends some thirty messages in one. */
export const ROUNDS_MAX = 1_000;
/** Past it every topic is in doubt. */
export const FILTERS_MAX = 1_000;
/** Begins the payload: another probe uses the topic too. */
const STORED = "stored ";

export class StoredDoubt {
  readonly #topic: string;
  readonly #link: Pick<MqttSession, "publish">;
  /** A durable session may still deliver sentinels of an earlier life. */
  readonly #life: string;
  readonly #askAgainMs: number;
  #flagMeans: "live" | "perhaps_stored" | "stored" = "perhaps_stored";
  /** A session of an earlier life may still hold stored messages. */
  #open = true;
  /** Whose stored messages may come. */
  #filters: readonly string[] = ["#"];
  #dataReady = false;
  #linkReady = false;
  /** SUBSCRIBEs without an answer. */
  #unanswered = 0;
  #round = 0;
  #roundsLeft = ROUNDS_MAX;
  #sawRetained = false;
  #again: NodeJS.Timeout | null = null;

  /** `topic`: one that the data session subscribes to. `life`: differs from that of the process before. */
  constructor(topic: string, life: string, link: Pick<MqttSession, "publish">, askAgainMs = ASK_AGAIN_MS) {
    this.#topic = topic;
    this.#life = life;
    this.#link = link;
    this.#askAgainMs = askAgainMs;
  }

  dataConnected({ protocolVersion, bridged }: Pick<SessionUp, "protocolVersion" | "bridged">): void {
    if (protocolVersion === 5) this.#flagMeans = "live";
    else this.#flagMeans = bridged ? "perhaps_stored" : "stored";
  }

  /** The data session subscribes to the topic. */
  dataReady(): void {
    this.#dataReady = true;
    this.#ask();
  }

  dataLost(): void {
    this.#dataReady = false;
    this.#unanswered = 0;
    this.stop();
  }

  linkReady(): void {
    this.#linkReady = true;
    this.#ask();
  }

  linkLost(): void {
    this.#linkReady = false;
  }

  subscribing(filters: readonly string[]): void {
    const all = this.#open ? [...this.#filters, ...filters] : filters;
    this.#filters = all.length > FILTERS_MAX ? ["#"] : all;
    this.#open = true;
    this.#unanswered += 1;
    this.#roundsLeft = ROUNDS_MAX;
    // A sentinel that is under way is in front of what this brings.
    this.#round += 1;
    this.stop();
  }

  subscribed(): void {
    this.#unanswered -= 1;
    this.#ask();
  }

  stop(): void {
    if (this.#again !== null) clearTimeout(this.#again);
    this.#again = null;
  }

  /** Whether a message of the data session, that came with the retain flag, may have been stored. */
  doubts(topic: string): boolean {
    if (this.#flagMeans !== "perhaps_stored") return this.#flagMeans === "stored";
    const isDoubtful = this.#open && this.#filters.some((filter) => matches(filter, topic));
    if (isDoubtful) this.#sawRetained = true;
    return isDoubtful;
  }

  /** Whether the data session's message was a sentinel. */
  message(topic: string, payload: Uint8Array): boolean {
    if (topic !== this.#topic) return false;
    const text = Buffer.from(payload).toString("latin1");
    if (!text.startsWith(STORED)) return false;
    if (!this.#open || text !== this.#sentinel) return true;
    this.stop();
    this.#roundsLeft -= 1;
    if (this.#sawRetained && this.#roundsLeft > 0) this.#ask();
    else this.#open = false;
    return true;
  }

  get #sentinel(): string {
    return `${STORED}${this.#life} ${this.#round}`;
  }

  #ask(): void {
    if (
      this.#flagMeans !== "perhaps_stored" ||
      !this.#open ||
      !this.#dataReady ||
      !this.#linkReady ||
      this.#unanswered > 0
    )
      return;
    this.stop();
    // An access list may refuse it, or a connection lose it.
    this.#again = setTimeout(() => this.#ask(), this.#askAgainMs);
    this.#round += 1;
    this.#sawRetained = false;
    this.#link.publish({ topic: this.#topic, payload: Buffer.from(this.#sentinel), qos: 1, retain: false });
  }
}
