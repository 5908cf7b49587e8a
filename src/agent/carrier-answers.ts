/**
 * What the broker that carries a link answers to what we publish there: its refusals are named, once per change, and the
 * link's passage is told, so that its status is true. On MQTT 3.1.1 a refusal has no answer, and looks like an acceptance.
 */
import type { Hub } from "../hub/hub.ts";
import type { SessionProblem } from "../mqtt/session.ts";
import { type ControlProblem, controlProblem, deniedBy } from "./control-answer.ts";

const REFUSED = 0x80;

export class CarrierAnswers {
  readonly #hub: Hub;
  /** Does work of the hub, in a turn of its own. */
  readonly #then: (work: (nowMs: number) => void) => void;
  /** The last answer to a control message, by link. */
  readonly #control = new Map<string, number>();

  constructor(hub: Hub, then: (work: (nowMs: number) => void) => void) {
    this.#hub = hub;
    this.#then = then;
  }

  control(name: string, reasonCode: number): void {
    const link = this.#hub.link(name);
    // Whoever is no peer may have any name.
    if (link === undefined) return;
    const before = this.#control.get(name) ?? 0;
    this.#control.set(name, reasonCode);
    if (before === reasonCode) return;
    const problem = controlProblem(name, reasonCode);
    this.#then((nowMs) => {
      link.passage.controlAnswered(reasonCode);
      if (problem !== null) link.problems.found(problem.code, problem.reason, nowMs);
    });
  }

  /** The link is gone. */
  forget(name: string): void {
    this.#control.delete(name);
  }

  frame(name: string, frame: number, reasonCode: number): void {
    const link = this.#hub.link(name);
    if (link === undefined) return;
    if (reasonCode < REFUSED) {
      if (link.passage.framesRefused !== 0) this.#then(() => link.passage.frameAnswered(reasonCode));
      return;
    }
    this.#then((nowMs) => {
      this.#hub.frameRefused(name, frame, reasonCode);
      link.passage.frameAnswered(reasonCode);
      link.problems.found(
        "MESSAGE_REFUSED",
        `the broker refuses message frames with 0x${reasonCode.toString(16)}`,
        nowMs,
      );
    });
  }

  /** Some brokers (Mosquitto 2.0.11) end the connection on which they have refused a publish: the refusal is what can be mended. */
  whyDown(name: string, problem: SessionProblem): ControlProblem {
    const refusal = problem.wasConnected ? deniedBy(name, this.#control.get(name) ?? 0) : null;
    return refusal ?? problem;
  }
}
