/**
 * Finds out whether the local broker passes control topics on to us: the data session publishes on a topic of our own
 * under the prefix, and the link session waits for it. An access list in the way is named, not waited for; and because a
 * broker may read its list again without ending a connection, it is asked again until it lets the probe through.
 */
import { reasonText } from "../mqtt/reason-code.ts";
import type { MqttSession } from "../mqtt/session.ts";

export interface ControlProbeTimes {
  /** What does not come back by then will not. */
  readonly answerMs: number;
  /** After a denial. */
  readonly askAgainMs: number;
}

const TIMES: ControlProbeTimes = { answerMs: 5_000, askAgainMs: 30_000 };

type ProbeSession = Pick<MqttSession, "connected" | "protocolVersion" | "publish">;

export interface ControlProbeEvents {
  controlDenied(topic: string, why: string): void;
  controlWorks(): void;
}

export class ControlProbe {
  readonly topic: string;
  readonly #data: ProbeSession;
  readonly #events: ControlProbeEvents;
  readonly #times: ControlProbeTimes;
  /** For the answer, or for asking again. */
  #timer: NodeJS.Timeout | null = null;
  #asked = false;
  #listening = false;

  constructor(topic: string, data: ProbeSession, events: ControlProbeEvents, times = TIMES) {
    this.topic = topic;
    this.#data = data;
    this.#events = events;
    this.#times = times;
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
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#asked = false;
  }

  /** Whether the link session's message was the probe's. */
  message(topic: string): boolean {
    if (topic !== this.topic) return false;
    this.stop();
    this.#events.controlWorks();
    return true;
  }

  #ask(): void {
    if (this.#asked || !this.#data.connected || !this.#listening) return;
    this.stop();
    this.#asked = true;
    // 3.1.1 has no way to refuse a PUBLISH, so either right may be missing.
    const rights = this.#data.protocolVersion === 5 ? "read" : "read and write";
    this.#timer = setTimeout(
      () => this.#denied(`published, but never delivered to us: the user needs ${rights} on it`),
      this.#times.answerMs,
    );
    this.#data.publish({ topic: this.topic, payload: Buffer.from("probe"), qos: 1, retain: false }, (result) => {
      if (!this.#asked) return;
      // The connection that was asked is gone: the next one asks again.
      if (!result.ok) this.stop();
      else if (result.reasonCode >= 0x80) {
        this.#denied(`PUBLISH refused: ${reasonText(result.reasonCode)}; the user needs write on it`);
      }
    });
  }

  #denied(why: string): void {
    this.stop();
    this.#timer = setTimeout(() => this.#ask(), this.#times.askAgainMs);
    this.#events.controlDenied(this.topic, why);
  }
}
