/**
 * Finds out whether the local broker passes control topics on to us: the data session publishes on a topic of our own
 * under the prefix, and the link session waits for it. An access list in the way is named, not waited for.
 */
import { reasonText } from "../mqtt/reason-code.ts";
import type { MqttSession } from "../mqtt/session.ts";

/** What does not come back by then will not. */
const ANSWER_MS = 5_000;

export interface ControlProbeEvents {
  controlDenied(topic: string, why: string): void;
  controlWorks(): void;
}

export class ControlProbe {
  readonly topic: string;
  readonly #data: MqttSession;
  readonly #events: ControlProbeEvents;
  #waiting: NodeJS.Timeout | null = null;
  #listening = false;

  constructor(topic: string, data: MqttSession, events: ControlProbeEvents) {
    this.topic = topic;
    this.#data = data;
    this.#events = events;
  }

  /** Whether the link session is subscribed. */
  listening(on: boolean): void {
    this.#listening = on;
    if (on) this.#ask();
    else this.stop();
  }

  dataUp(): void {
    this.#ask();
  }

  stop(): void {
    if (this.#waiting !== null) clearTimeout(this.#waiting);
    this.#waiting = null;
  }

  /** Whether the link session's message was the probe's. */
  message(topic: string): boolean {
    if (topic !== this.topic) return false;
    this.stop();
    this.#events.controlWorks();
    return true;
  }

  #ask(): void {
    if (this.#waiting !== null || !this.#data.connected || !this.#listening) return;
    this.#waiting = setTimeout(
      () => this.#denied("published, but never delivered to us: the user needs read on it"),
      ANSWER_MS,
    );
    this.#data.publish({ topic: this.topic, payload: Buffer.from("probe"), qos: 1, retain: false }, (result) => {
      if (this.#waiting === null) return;
      // The connection that was asked is gone: the next one asks again.
      if (!result.ok) this.stop();
      else if (result.reasonCode >= 0x80) {
        this.#denied(`PUBLISH refused: ${reasonText(result.reasonCode)}; the user needs write on it`);
      }
    });
  }

  #denied(why: string): void {
    this.stop();
    this.#events.controlDenied(this.topic, why);
  }
}
