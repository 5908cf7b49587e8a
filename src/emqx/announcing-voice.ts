/**
 * What EMQX says, said to the hub in the words of a peer of our own kind: its routes, its heartbeats, its messages. It greets
 * when EMQX is heard for the first time and goes on when it is heard again: the silence between is the hub's to notice. Pure.
 */
import { Announcer, type RouteSource } from "../link/announcer.ts";
import { Identity } from "../link/identity.ts";
import type { LinkOutput } from "../link/output.ts";
import type { RouteOp } from "../route/route.ts";
import { encodeControl } from "../wire/control.ts";
import { WIRE_VERSION } from "../wire/envelope.ts";
import { encodeFrame, FRAME_BYTES_MAX } from "../wire/frame.ts";
import type { ControlBody, FramedMessage, Speaker } from "../wire/message.ts";

/** EMQX's heartbeats come every ten seconds from each node: one of ours for each is enough. */
const HEARTBEAT_MS = 1_000;

export interface VoiceNames {
  /** This cluster. */
  readonly me: string;
  /** The link's name: the other one. */
  readonly peer: string;
}

export class AnnouncingVoice {
  readonly stream: string;
  readonly #announcer: Announcer;
  readonly #identity: Identity;
  readonly #send: (bytes: Uint8Array) => void;
  #hasGreeted = false;
  #heartbeatAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    { me, peer }: VoiceNames,
    speaker: Speaker,
    stream: string,
    source: RouteSource,
    send: (bytes: Uint8Array) => void,
  ) {
    this.stream = stream;
    this.#send = send;
    this.#identity = new Identity(speaker.instance, speaker.incarnation);
    const names = {
      me: peer,
      peer: me,
      agentVersion: "EMQX cluster link 1",
      protocolVersion: WIRE_VERSION,
      frameBytesMax: FRAME_BYTES_MAX,
    };
    this.#announcer = new Announcer(names, this.#identity, source);
  }

  get deadlineMs(): number {
    return this.#announcer.deadlineMs;
  }

  /** EMQX spoke. */
  heard(nowMs: number): void {
    if (!this.#hasGreeted) {
      this.#hasGreeted = true;
      this.#perform(this.#announcer.connected(nowMs));
      return;
    }
    if (this.#announcer.state !== "online" || Math.abs(nowMs - this.#heartbeatAtMs) < HEARTBEAT_MS) return;
    this.#heartbeatAtMs = nowMs;
    this.#say({ type: "heartbeat", mark: this.#announcer.mark() });
  }

  announce(ops: readonly RouteOp[], nowMs: number): void {
    this.#perform(this.#announcer.announce(ops, nowMs));
  }

  /** What the hub answers to this voice. */
  answered(body: ControlBody, nowMs: number): void {
    switch (body.type) {
      case "ack":
        this.#perform(this.#announcer.ack(body, nowMs));
        break;
      case "bootstrap_ack":
        this.#perform(this.#announcer.bootstrapAck(body.of, body.bootstrap, body.nextPart, body.done, nowMs));
        break;
      case "routes_ack":
        this.#perform(this.#announcer.routesAck(body.of, body.op, nowMs));
        break;
      case "again":
        if (!this.#hasGreeted) break;
        if (body.what === "bootstrap") this.#perform(this.#announcer.againBootstrap(nowMs, "the hub asks"));
        else if (this.#announcer.state !== "greeting") this.#perform(this.#announcer.greet(nowMs, "the hub asks"));
        break;
      default:
        break;
    }
  }

  /** A frame names the last route operation that was said before it. */
  frame(messages: readonly FramedMessage[], base: number): Uint8Array {
    const speaker = this.#identity.speaker();
    return encodeFrame({ speaker, routeOp: this.#announcer.lastOp, stream: this.stream, base, messages });
  }

  tick(nowMs: number): void {
    if (nowMs >= this.#announcer.deadlineMs) this.#perform(this.#announcer.tick(nowMs));
  }

  #perform(outputs: readonly LinkOutput[]): void {
    for (const output of outputs) if (output.type === "send") this.#say(output.body);
  }

  #say(body: ControlBody): void {
    this.#send(encodeControl({ speaker: this.#identity.speaker(), body }));
  }
}
