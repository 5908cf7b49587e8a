/**
 * Finds out whether the local broker passes control topics on to us: the data session publishes on topics under the
 * prefix that nobody else uses, and the link session waits for them. One is subscribed to by its name, the others reach us
 * through the inbox itself. An access list in the way is named, not waited for; and because a broker may read its list again
 * without ending a connection, it is asked again now and then, sooner when there is reason to doubt.
 *
 *            ask             all came back
 *   resting ────▶ asking ────────────────────▶ resting (works)
 *      ▲            └── refused, or one did not come back ──▶ denied ── again ──▶ asking
 *      └── the connection was lost
 */
import { reasonText } from "../mqtt/reason-code.ts";
import type { MqttSession } from "../mqtt/session.ts";

export interface ControlProbeTimes {
  /** What does not come back by then will not. */
  readonly answerMs: number;
  /** After an answer that was good. */
  readonly everyMs: number;
  /** After a doubt: many that come together are one question. */
  readonly doubtMs: number;
  /** After a denial. */
  readonly askAgainMs: number;
  /** The same where the broker hangs up behind each refusal, which would cut the data session too often. */
  readonly askAgainMaxMs: number;
}

const TIMES: ControlProbeTimes = {
  answerMs: 5_000,
  everyMs: 20_000,
  doubtMs: 1_000,
  askAgainMs: 20_000,
  askAgainMaxMs: 120_000,
};

type ProbeSession = Pick<MqttSession, "connected" | "protocolVersion" | "publish">;

export interface ControlProbeEvents {
  controlDenied(topic: string, why: string): void;
  controlWorks(): void;
}

export class ControlProbe {
  readonly #topics: readonly string[];
  readonly #data: ProbeSession;
  readonly #events: ControlProbeEvents;
  readonly #times: ControlProbeTimes;
  #state: "resting" | "asking" | "denied" = "resting";
  #listening = false;
  /** Topics of the question that have not come back. */
  #awaited = new Set<string>();
  #round = 0;
  /** For the answer, or for the next question. */
  #timer: NodeJS.Timeout | null = null;
  #doubted = false;
  #askAgainMs: number;

  constructor(topics: readonly string[], data: ProbeSession, events: ControlProbeEvents, times = TIMES) {
    this.#topics = topics;
    this.#data = data;
    this.#events = events;
    this.#times = times;
    this.#askAgainMs = times.askAgainMs;
  }

  /** Whether the link session is subscribed. */
  listening(on: boolean): void {
    this.#listening = on;
    if (!on) this.stop();
    else if (this.#state === "denied") this.#wait(this.#askAgainMs);
    else this.#ask();
  }

  dataUp(): void {
    if (this.#state !== "denied") this.#ask();
    else this.#askAgainMs = Math.min(this.#askAgainMs * 2, this.#times.askAgainMaxMs);
  }

  /** A peer has fallen silent, or a control message was refused: the next question does not wait for its time. */
  doubt(): void {
    if (this.#state !== "resting" || this.#doubted || !this.#listening) return;
    this.#doubted = true;
    this.#wait(this.#times.doubtMs);
  }

  stop(): void {
    this.#listening = false;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#doubted = false;
    if (this.#state === "asking") this.#state = "resting";
  }

  /** Whether the link session's message was the probe's. */
  message(topic: string): boolean {
    if (!this.#topics.includes(topic)) return false;
    this.#awaited.delete(topic);
    if (this.#state !== "asking" || this.#awaited.size > 0) return true;
    this.#rest();
    this.#askAgainMs = this.#times.askAgainMs;
    this.#events.controlWorks();
    return true;
  }

  #ask(): void {
    if (this.#state === "asking" || !this.#listening) return;
    if (!this.#data.connected) {
      // What was denied stays so until somebody was asked; otherwise the connection that is to come asks.
      if (this.#state === "denied") this.#wait(this.#askAgainMs);
      return;
    }
    this.#state = "asking";
    this.#awaited = new Set(this.#topics);
    this.#round += 1;
    this.#wait(this.#times.answerMs);
    for (const topic of this.#topics) this.#publish(topic, this.#round);
  }

  #publish(topic: string, round: number): void {
    this.#data.publish({ topic, payload: Buffer.from("probe"), qos: 1, retain: false }, (result) => {
      if (this.#state !== "asking" || round !== this.#round) return;
      // The connection that was asked is gone: the next one asks again.
      if (!result.ok) this.#rest();
      else if (result.reasonCode >= 0x80) {
        this.#denied(topic, `PUBLISH refused: ${reasonText(result.reasonCode)}; the user needs write on it`);
      }
    });
  }

  #due(): void {
    if (this.#state !== "asking") {
      this.#ask();
      return;
    }
    const [topic = ""] = this.#awaited;
    // 3.1.1 has no way to refuse a PUBLISH, so either right may be missing.
    const rights = this.#data.protocolVersion === 5 ? "read" : "read and write";
    this.#denied(topic, `published, but never delivered to us: the user needs ${rights} on it`);
  }

  #rest(): void {
    this.#state = "resting";
    this.#wait(this.#times.everyMs);
    this.#doubted = false;
  }

  #denied(topic: string, why: string): void {
    this.#state = "denied";
    this.#wait(this.#askAgainMs);
    this.#doubted = false;
    this.#events.controlDenied(topic, why);
  }

  #wait(ms: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#due();
    }, ms);
  }
}
