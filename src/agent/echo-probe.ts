/**
 * Finds out whether a broker sends the data session its own messages back (MQTT 3.1.1 has No Local only by the bridge
 * bit, and a broker may ignore it). The data session publishes on a topic that it subscribes itself, then the link
 * session publishes a sentinel on the same topic: what comes first is the answer, without waiting for a silence.
 */
import type { MqttSession } from "../mqtt/session.ts";

/** A broker that lets neither of them through (an access list) is asked again: the list may be mended while all stays connected. */
const ASK_AGAIN_MS = 5_000;

export class EchoProbe {
  readonly topic: string;
  readonly #data: Pick<MqttSession, "subscribe" | "publish">;
  readonly #link: Pick<MqttSession, "publish">;
  readonly #askAgainMs: number;
  #answer: ((echoing: boolean) => void) | null = null;
  /** A durable session may still deliver what an earlier round left in it. */
  #round = 0;
  #ownSent = false;
  #linkReady = false;
  #again: NodeJS.Timeout | null = null;

  constructor(
    topic: string,
    data: Pick<MqttSession, "subscribe" | "publish">,
    link: Pick<MqttSession, "publish">,
    askAgainMs = ASK_AGAIN_MS,
  ) {
    this.topic = topic;
    this.#data = data;
    this.#link = link;
    this.#askAgainMs = askAgainMs;
  }

  /** The data session is connected. `answer` is called once, unless `dataLost` or `stop` comes first. */
  dataReady(answer: (echoing: boolean) => void): void {
    this.#answer = answer;
    this.#data.subscribe([{ filter: this.topic, qos: 1 }], (codes) => {
      if (codes !== null) this.#ask();
    });
  }

  dataLost(): void {
    this.stop();
  }

  /** The link session is connected. */
  linkReady(): void {
    this.#linkReady = true;
    this.#sendSentinel();
  }

  linkLost(): void {
    this.#linkReady = false;
  }

  stop(): void {
    this.#answer = null;
    this.#ownSent = false;
    if (this.#again !== null) clearTimeout(this.#again);
    this.#again = null;
  }

  /** Whether the data session's message belonged to the probe. */
  message(topic: string, payload: Uint8Array): boolean {
    if (topic !== this.topic) return false;
    const text = Buffer.from(payload).toString("latin1");
    const answer = this.#answer;
    if (answer !== null && (text === this.#own || text === this.#sentinel)) {
      this.stop();
      answer(text === this.#own);
    }
    return true;
  }

  get #own(): string {
    return `own ${this.#round}`;
  }

  get #sentinel(): string {
    return `sentinel ${this.#round}`;
  }

  #ask(): void {
    if (this.#answer === null) return;
    if (this.#again !== null) clearTimeout(this.#again);
    this.#again = setTimeout(() => this.#ask(), this.#askAgainMs);
    this.#round += 1;
    this.#ownSent = false;
    const round = this.#round;
    this.#data.publish({ topic: this.topic, payload: Buffer.from(this.#own), qos: 1, retain: false }, (result) => {
      if (round !== this.#round) return;
      this.#ownSent = result.ok;
      this.#sendSentinel();
    });
  }

  #sendSentinel(): void {
    if (this.#answer === null || !this.#ownSent || !this.#linkReady) return;
    this.#link.publish({ topic: this.topic, payload: Buffer.from(this.#sentinel), qos: 1, retain: false });
  }
}
