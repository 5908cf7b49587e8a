/**
 * A Duplex between the socket and mqtt.js, given to its public constructor: the bytes pass as they are, but for two things
 * that the library does not do.
 *
 * - *Bridge bit.* On MQTT 3.1.1 the protocol level of CONNECT becomes 0x84: brokers then spare the session its own messages
 *   and keep the retain flag, as MQTT 5 does with No Local and Retain As Published.
 * - *An ACK that does not wait.* Brokers that leave Nagle's algorithm on send the next small packet only when the last one
 *   is acknowledged, and our kernel delays that acknowledgement by 40 ms unless we have something to say. So a small read
 *   that called for no answer is answered with a PINGREQ, one at a time.
 */
import { Duplex } from "node:stream";

const BRIDGE_BIT = 0x80;
const PINGREQ = Buffer.from([0xc0, 0x00]);
/** One segment: a larger read is acknowledged at once by itself. */
const SMALL_READ_BYTES = 1_460;
/** A PINGRESP may come inside a larger read: after this another PINGREQ may leave. */
const PING_AGAIN_MS = 200;

export interface WireStreamOptions {
  readonly bridgeBit: boolean;
  readonly ackByPing: boolean;
}

export class WireStream extends Duplex {
  readonly #socket: Duplex;
  readonly #ackByPing: boolean;
  /** Bytes of the CONNECT packet held until its protocol level is among them; null: patched, or not to be. */
  #connect: Buffer | null;
  #wrote = false;
  #answerDue = false;
  #pingAtMs = Number.NEGATIVE_INFINITY;
  /** CONNACK was read: nothing but CONNECT may be sent before it. */
  #open = false;

  constructor(socket: Duplex, options: WireStreamOptions) {
    super({ allowHalfOpen: false, highWaterMark: 256 * 1024 });
    this.#socket = socket;
    this.#ackByPing = options.ackByPing;
    this.#connect = options.bridgeBit ? Buffer.alloc(0) : null;
    socket.on("data", (chunk: Buffer) => this.#received(chunk));
    socket.on("end", () => this.push(null));
    socket.on("error", (error) => this.destroy(error));
    socket.on("close", () => this.destroy());
  }

  /** Bytes accepted and not yet taken by the kernel. */
  get backlogBytes(): number {
    return this.writableLength + this.#socket.writableLength;
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#send(chunk, done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#send(Buffer.concat(chunks.map(({ chunk }) => chunk)), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(() => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }

  #send(bytes: Buffer, done: (error?: Error | null) => void): void {
    this.#wrote = true;
    const ready = this.#connect === null ? bytes : this.#patch(this.#connect, bytes);
    if (ready === null) {
      done();
      return;
    }
    if (this.#socket.write(ready)) done();
    else this.#socket.once("drain", () => done());
  }

  /** CONNECT: type, remaining length (1 to 4 bytes), name length (2), "MQTT" (4), protocol level (MQTT 3.1.1, 3.1.2.2). */
  #patch(held: Buffer, bytes: Buffer): Buffer | null {
    const all = Buffer.concat([held, bytes]);
    let at = 1;
    while (at < 4 && ((all[at] ?? 0x80) & 0x80) !== 0) at += 1;
    const level = at + 1 + 2 + 4;
    const value = all[level];
    if (value === undefined) {
      this.#connect = all;
      return null;
    }
    this.#connect = null;
    all[level] = value | BRIDGE_BIT;
    return all;
  }

  #received(chunk: Buffer): void {
    if (!this.push(chunk)) this.#socket.pause();
    const pong = chunk.length === 2 && chunk[0] === 0xd0;
    if (pong) {
      this.#pingAtMs = Number.NEGATIVE_INFINITY;
      return;
    }
    if (!this.#open) {
      this.#open = true;
      return;
    }
    if (!this.#ackByPing || chunk.length >= SMALL_READ_BYTES || this.#answerDue) return;
    this.#answerDue = true;
    this.#wrote = false;
    setImmediate(() => {
      this.#answerDue = false;
      // Only between packets: what mqtt.js has written went to the socket whole.
      if (this.#wrote || this.destroyed || this.writableLength > 0 || this.writableEnded) return;
      const nowMs = Date.now();
      if (nowMs - this.#pingAtMs < PING_AGAIN_MS) return;
      this.#pingAtMs = nowMs;
      this.#socket.write(PINGREQ);
    });
  }
}
