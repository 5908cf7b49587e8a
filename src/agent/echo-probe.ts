/**
 * Finds out whether a broker sends the data session its own messages back (MQTT 3.1.1 has No Local only by the bridge
 * bit, and a broker may ignore it). The data session publishes on a topic that it subscribes itself, then the link
 * session publishes a sentinel on the same topic: what comes first is the answer, without waiting for a silence.
 */
import type { MqttSession } from "../mqtt/session.ts";

const OWN = "own";
const SENTINEL = "sentinel";

export class EchoProbe {
  readonly topic: string;
  readonly #data: MqttSession;
  readonly #link: MqttSession;
  #answer: ((echoing: boolean) => void) | null = null;
  #ownSent = false;
  #linkReady = false;

  constructor(topic: string, data: MqttSession, link: MqttSession) {
    this.topic = topic;
    this.#data = data;
    this.#link = link;
  }

  dataReady(answer: (echoing: boolean) => void): void {
    this.#answer = answer;
    this.#ownSent = false;
    this.#data.subscribe([{ filter: this.topic, qos: 1 }], (codes) => {
      if (codes === null) return;
      this.#data.publish({ topic: this.topic, payload: Buffer.from(OWN), qos: 1, retain: false }, (result) => {
        this.#ownSent = result.ok;
        this.#sendSentinel();
      });
    });
  }

  dataLost(): void {
    this.#answer = null;
    this.#ownSent = false;
  }

  linkReady(): void {
    this.#linkReady = true;
    this.#sendSentinel();
  }

  linkLost(): void {
    this.#linkReady = false;
  }

  /** Whether the data session's message belonged to the probe. */
  message(topic: string, payload: Uint8Array): boolean {
    if (topic !== this.topic) return false;
    const text = Buffer.from(payload).toString("latin1");
    const answer = this.#answer;
    if (answer !== null && (text === OWN || text === SENTINEL)) {
      this.#answer = null;
      answer(text === OWN);
    }
    return true;
  }

  #sendSentinel(): void {
    if (this.#answer === null || !this.#ownSent || !this.#linkReady) return;
    this.#link.publish({ topic: this.topic, payload: Buffer.from(SENTINEL), qos: 1, retain: false });
  }
}
