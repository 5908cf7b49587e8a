/**
 * What EMQX has taken of ours, said to the hub in the words of a peer of our own kind. It accepts the hub's greeting only
 * while EMQX accepts ours, and confirms routes and messages only when EMQX has. Pure.
 *
 * It speaks under another instance than the voice that says what EMQX wants: EMQX may take everything of ours and be silent
 * itself, and the hub must be able to tell that.
 */
import { encodeControl } from "../wire/control.ts";
import { WIRE_VERSION } from "../wire/envelope.ts";
import { FRAME_BYTES_MAX } from "../wire/frame.ts";
import type { AckResult, ControlBody, ControlMessage, Speaker } from "../wire/message.ts";
import { HubRoutes, type RouteChange } from "./hub-routes.ts";
import type { StreamNews } from "./outgoing.ts";

/** The least that a peer of our own kind may name. */
const FRAME_BYTES_MIN = 4_096;
/** EMQX does not say what it is called when it is not called what we think. */
const NAMELESS = "another";

export class ListeningVoice {
  readonly #peer: string;
  readonly #speaker: Speaker;
  readonly #send: (bytes: Uint8Array) => void;
  readonly #routes = new HubRoutes();
  #hub: Speaker | null = null;
  /** The hub's greeting that was not answered yet. */
  #greeting: number | null = null;
  /** Confirmations that wait for EMQX's, by the revision of our routes that they speak of. */
  #held: { readonly revision: number; readonly op: number; readonly body: ControlBody }[] = [];
  #readyOp = 0;

  constructor(peer: string, speaker: Speaker, send: (bytes: Uint8Array) => void) {
    this.#peer = peer;
    this.#speaker = speaker;
    this.#send = send;
  }

  /** The last operation of the hub's routes that EMQX has. */
  get readyOp(): number {
    return this.#readyOp;
  }

  /** Whether the hub waits for an answer to its greeting. */
  get isGreeted(): boolean {
    return this.#greeting !== null;
  }

  /**
   * What the hub says of its own half. Answers how its routes change; `change` is the revision that follows from the changes,
   * asked for once they are made.
   */
  receive({ speaker, body }: ControlMessage, apply: (changes: readonly RouteChange[]) => number): void {
    switch (body.type) {
      case "hello":
        if (this.#hub?.incarnation !== speaker.incarnation) {
          this.#routes.newSpeaker();
          this.#readyOp = 0;
        }
        this.#hub = speaker;
        this.#greeting = body.greeting;
        this.#held = [];
        break;
      case "bootstrap":
        if (this.#routes.part(body)) this.#partConfirmed(body.bootstrap, false);
        break;
      case "bootstrap_end": {
        const changes = this.#routes.end(body.bootstrap, body.parts, body.mark);
        if (changes === null) break;
        this.#hold(apply(changes), this.#bootstrapAck(body.bootstrap, true));
        break;
      }
      case "routes": {
        const revision = apply(this.#routes.apply(body.firstOp, body.ops));
        this.#hold(revision, { type: "routes_ack", of: speaker, op: this.#routes.appliedOp });
        break;
      }
      default:
        break;
    }
  }

  /** EMQX has what it was told up to this revision. */
  confirmed(revision: number): void {
    while (this.#held.length > 0) {
      const [first] = this.#held;
      if (first === undefined || first.revision > revision) return;
      this.#held.shift();
      this.#readyOp = first.op;
      this.#say(first.body);
    }
  }

  /** Answers the greeting that waits, if there is one. `packetBytesMax`: the largest message that EMQX takes. */
  answer(result: AckResult, packetBytesMax: number): void {
    const greeting = this.#greeting;
    if (greeting === null || this.#hub === null) return;
    this.#greeting = null;
    this.#say({
      type: "ack",
      greeting,
      of: this.#hub,
      name: result === "wrong_name" ? NAMELESS : this.#peer,
      result,
      highest: this.#hub.incarnation,
      have: null,
      protocolMin: WIRE_VERSION,
      protocolMax: WIRE_VERSION,
      frameBytesMax: Math.max(FRAME_BYTES_MIN, Math.min(FRAME_BYTES_MAX, packetBytesMax)),
    });
  }

  settled(news: StreamNews): void {
    if (this.#hub !== null) this.#say({ type: "settled", of: this.#hub, ...news });
  }

  #partConfirmed(bootstrap: number, done: boolean): void {
    this.#say(this.#bootstrapAck(bootstrap, done));
  }

  #bootstrapAck(bootstrap: number, done: boolean): ControlBody {
    const of = this.#hub ?? this.#speaker;
    return { type: "bootstrap_ack", of, bootstrap, nextPart: this.#routes.nextPart, done };
  }

  /** The last one of a revision speaks for those before. */
  #hold(revision: number, body: ControlBody): void {
    const held = { revision, op: this.#routes.appliedOp, body };
    const last = this.#held.at(-1);
    if (last !== undefined && last.revision === revision && last.body.type === body.type) this.#held.pop();
    this.#held.push(held);
  }

  #say(body: ControlBody): void {
    this.#send(encodeControl({ speaker: this.#speaker, body }));
  }
}
