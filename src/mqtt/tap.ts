/**
 * The stream that the MQTT client library gets, and what stands between it and the socket. PUBLISH and all that answers one
 * never reach the library: the tap takes them out of the bytes that arrive and hands them to its owner, and writes the
 * owner's between the library's packets. Everything else passes through unchanged, except for the bridge bit of a CONNECT.
 *
 * What was written in one turn, by the library or the owner, leaves in the order of the calls and as one write. What arrives
 * is told in its order too: answers to SUBSCRIBE are read here as well, because the library handles them on a later turn,
 * behind messages that came after them, and what follows the CONNACK waits until the owner is ready for it.
 */
import { Duplex } from "node:stream";
import { AckPinger } from "./ack-pinger.ts";
import { decodePuback, decodeSuback } from "./answer-decoder.ts";
import { bridged } from "./bridge-bit.ts";
import { PacketReader } from "./packet-reader.ts";
import { PacketSplitter } from "./packet-splitter.ts";
import { PacketWalk } from "./packet-walk.ts";
import type { PublishPacket } from "./publish.ts";
import { decodePublish, type ReceivedPublish } from "./publish-decoder.ts";
import { encodeAnswer, encodePublish, PUBACK, PUBCOMP, PUBREC } from "./publish-encoder.ts";
import { WriteBuffer } from "./write-buffer.ts";

export interface TapOptions {
  readonly version: 4 | 5;
  readonly bridge: boolean;
  readonly ackByPing: boolean;
  /** Each write is one WebSocket message. */
  readonly framed: boolean;
  /** The largest packet that is taken. */
  readonly maximumPacketSize: number;
}

export interface TapEvents {
  /** `bytes`: of the whole packet. */
  publish(packet: ReceivedPublish, bytes: number): void;
  /** PUBACK, SUBACK or UNSUBACK. */
  answer(packetId: number, codes: readonly number[]): void;
  /** Bytes arrived. */
  alive(): void;
  /** The broker took bytes that had waited. */
  drained(): void;
  /** The broker sent what ends the connection; nothing of it is told any more. */
  problem(reason: string): void;
}

const PINGREQ_TYPE = 0xc0;
const PINGREQ = Uint8Array.of(PINGREQ_TYPE, 0x00);
const PINGRESP_TYPE = 0xd0;
/** Reason 0, in the short form that 3.1.1 and 5 share (MQTT5 3.14.2.1). */
const DISCONNECT = Uint8Array.of(0xe0, 0x00);

/** First bytes, flags out. */
const CONNACK = 0x20;
const PUBLISH = 0x30;
const PUBREL = 0x60;
const SUBACK = 0x90;
const UNSUBACK = 0xb0;

/** A turn that writes more does not wait for its end with it: the kernel may as well begin. */
const FLUSH_BYTES = 65_536;
/**
 * Mosquitto handles one WebSocket message without looking at any other socket: what it forwards meanwhile waits in queues
 * that are limited by number. 16 KiB are a few hundred small messages.
 */
const FRAMED_WRITE_BYTES = 16_384;
/** As many as there are identifiers: past it the broker has used one again before it read our answer. */
const ANSWERS_WAITING_MAX = 65_535;

export class Tap extends Duplex {
  readonly #socket: Duplex;
  readonly #options: TapOptions;
  readonly #events: TapEvents;
  readonly #inbound: PacketSplitter;
  readonly #reader = new PacketReader();
  readonly #pinger: AckPinger;
  readonly #outbound = new PacketWalk();
  readonly #out = new WriteBuffer();
  /** The library's packet until it is complete. */
  #library: Uint8Array[] = [];
  #setBridgeBit: boolean;
  #flushDue = false;
  /** Written since the broker last had taken everything. */
  #answersWaiting = 0;
  #state: "connecting" | "holding" | "open" | "over" = "connecting";
  /** What came behind the CONNACK. */
  #held: Buffer[] = [];
  #problem: Error | null = null;

  constructor(socket: Duplex, options: TapOptions, events: TapEvents) {
    super({ allowHalfOpen: false });
    this.#socket = socket;
    this.#options = options;
    this.#events = events;
    this.#inbound = new PacketSplitter(options.maximumPacketSize);
    this.#pinger = new AckPinger(options.ackByPing, () => this.#ping());
    this.#setBridgeBit = options.bridge;
    socket.on("data", (chunk: Buffer) => this.#received(chunk));
    socket.on("drain", () => events.drained());
    socket.on("end", () => this.#finish(null));
    socket.on("close", () => this.#finish(null));
    socket.on("error", (error) => this.#finish(error));
  }

  /** What ended the stream, if it was more than a close. */
  get problem(): Error | null {
    return this.#problem;
  }

  /** PINGREQs written to draw an acknowledgement out of the kernel. */
  get pings(): number {
    return this.#pinger.count;
  }

  /** When anything but those was written last. */
  get wroteAtMs(): number {
    return this.#pinger.wroteAtMs;
  }

  /** Bytes that the kernel has not taken yet. */
  get waitingBytes(): number {
    return this.#out.length + this.#socket.writableLength;
  }

  /** The owner is ready for what follows the CONNACK. */
  open(): void {
    if (this.#state !== "holding") return;
    this.#state = "open";
    const held = this.#held;
    this.#held = [];
    for (const chunk of held) this.#split(chunk);
    if (this.#wantsMore) this.#socket.resume();
  }

  /** `packetId`: 0 at QoS 0. The payload must stay as it is until it has left. */
  publish(packet: PublishPacket, packetId: number): void {
    if (!this.writable) return;
    this.#beforeWrite();
    encodePublish(this.#out, packet, packetId, this.#options.version);
    this.#flushSoon();
  }

  /** Answers a PUBLISH of the broker's: PUBACK, or PUBREC at QoS 2. */
  acknowledge(packetId: number, qos: 1 | 2, reasonCode: number): void {
    this.#answer(qos === 1 ? PUBACK : PUBREC, packetId, reasonCode);
  }

  /** DISCONNECT behind everything that was written, then the end. */
  disconnect(): void {
    if (this.writable) this.end(DISCONNECT);
  }

  /**
   * The library collects the pieces of a packet for the next tick; here they are collected anyway, and a packet of the
   * owner's that is written after a call of the library's must not overtake what that call wrote.
   */
  override cork(): void {}
  override uncork(): void {}

  override _read(): void {
    if (this.#state !== "holding" && this.#socket.isPaused()) this.#socket.resume();
  }

  /**
   * Done at once: the library writes little (its owner limits how many SUBSCRIBEs wait for an answer), and one that waited for
   * the broker to take its bytes would not read either.
   */
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#outbound.feed(chunk, (firstByte) => {
      if (firstByte === PINGREQ_TYPE) this.#pinger.pinged();
    });
    this.#library.push(chunk);
    if (this.#outbound.atBoundary) {
      this.#beforeWrite();
      const pieces = this.#setBridgeBit ? [bridged(this.#library)] : this.#library;
      for (const piece of pieces) this.#out.bytes(piece);
      this.#library = [];
      this.#setBridgeBit = false;
      this.#flushSoon();
    }
    done();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#flush();
    this.#socket.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#problem ??= error;
    this.#stop();
    this.#socket.destroy();
    done(error);
  }

  // ── from the broker ──────────────────────────────────────────────────────────────────────────────

  #received(chunk: Buffer): void {
    if (this.#state === "over") return;
    if (this.#state === "holding") {
      this.#held.push(chunk);
      return;
    }
    const onlyAnswer = this.#inbound.atBoundary && chunk.length === 2 && chunk[0] === PINGRESP_TYPE;
    if (!onlyAnswer) this.#pinger.read(chunk.length);
    this.#split(chunk);
    if (onlyAnswer) this.#pinger.readOnlyAnswer();
    if (this.#wantsMore) this.#events.alive();
  }

  /** Stays so over calls of the owner, unless those end it. */
  get #wantsMore(): boolean {
    return this.#state === "connecting" || this.#state === "open";
  }

  #split(chunk: Buffer): void {
    if (!this.#wantsMore) return;
    const used = this.#inbound.feed(chunk, (firstByte, bytes, begin, body, end) => {
      this.#take(firstByte, bytes, begin, body, end);
      return this.#wantsMore;
    });
    const { problem } = this.#inbound;
    if (problem !== null) this.#refuse(`the broker sent ${problem}`);
    else if (used < chunk.length && this.#state === "holding") this.#held.push(chunk.subarray(used));
  }

  #take(firstByte: number, bytes: Buffer, begin: number, body: number, end: number): void {
    const { version } = this.#options;
    const reader = this.#reader;
    reader.open(bytes, body, end);
    switch (firstByte & 0xf0) {
      case PUBLISH: {
        const packet = decodePublish(reader, firstByte, version);
        if (packet === null) this.#malformed("PUBLISH");
        else if (this.#state === "connecting") this.#refuse("the broker sent a PUBLISH before its CONNACK");
        else this.#events.publish(packet, end - begin);
        return;
      }
      case PUBACK: {
        const answer = decodePuback(reader, version);
        if (answer === null) this.#malformed("PUBACK");
        else this.#events.answer(answer.packetId, answer.codes);
        return;
      }
      case PUBREL: {
        // What it releases was told when it came: all that is left is to say so, also of what we do not know.
        const answer = decodePuback(reader, version);
        if (answer === null) this.#malformed("PUBREL");
        else this.#answer(PUBCOMP, answer.packetId, 0);
        return;
      }
      case SUBACK:
      case UNSUBACK: {
        const answer = decodeSuback(reader, version);
        if (answer === null) this.#malformed(firstByte === SUBACK ? "SUBACK" : "UNSUBACK");
        else {
          this.#pass(bytes.subarray(begin, end));
          this.#events.answer(answer.packetId, answer.codes);
        }
        return;
      }
      case CONNACK:
        if (this.#state === "connecting") {
          this.#state = "holding";
          this.#socket.pause();
        }
        break;
      case PINGRESP_TYPE:
        this.#pinger.answered();
        break;
    }
    this.#pass(bytes.subarray(begin, end));
  }

  #pass(packet: Buffer): void {
    if (!this.push(packet)) this.#socket.pause();
  }

  #malformed(name: string): void {
    this.#refuse(`the broker sent a ${name} with ${this.#reader.problem}`);
  }

  #refuse(reason: string): void {
    this.#stop();
    this.#events.problem(reason);
  }

  #stop(): void {
    this.#state = "over";
    this.#held = [];
    this.#pinger.stop();
  }

  /** What was read before the end is still handed on. */
  #finish(error: Error | null): void {
    this.#problem ??= error;
    if (this.#state === "over") return;
    this.#stop();
    this.once("end", () => this.destroy());
    this.push(null);
  }

  // ── to the broker ────────────────────────────────────────────────────────────────────────────────

  #answer(firstByte: number, packetId: number, reasonCode: number): void {
    if (!this.writable) return;
    this.#beforeWrite();
    this.#answersWaiting += 1;
    if (this.#answersWaiting > ANSWERS_WAITING_MAX) this.#refuse("the broker sends and does not read our answers");
    encodeAnswer(this.#out, firstByte, packetId, reasonCode, this.#options.version);
    this.#flushSoon();
  }

  #beforeWrite(): void {
    if (this.#out.length > 0 || this.#socket.writableLength > 0) return;
    this.#answersWaiting = 0;
    this.#out.rewind();
  }

  #flushSoon(): void {
    if (this.#out.length >= FLUSH_BYTES) this.#flush();
    else if (!this.#flushDue) {
      this.#flushDue = true;
      process.nextTick(() => {
        this.#flushDue = false;
        this.#flush();
      });
    }
  }

  #flush(): void {
    if (this.#out.length === 0 || this.destroyed) return;
    this.#pinger.wrote();
    this.#socket.cork();
    const pieceBytes = this.#options.framed ? FRAMED_WRITE_BYTES : Number.POSITIVE_INFINITY;
    for (const piece of this.#out.take()) {
      for (let at = 0; at < piece.length; at += pieceBytes) this.#socket.write(piece.subarray(at, at + pieceBytes));
    }
    this.#socket.uncork();
  }

  /** Answers false in the middle of a packet, and where what waits carries the acknowledgement as well. */
  #ping(): boolean {
    if (this.waitingBytes > 0 || !this.#outbound.atBoundary || !this.writable) return false;
    this.#socket.write(PINGREQ);
    return true;
  }
}
