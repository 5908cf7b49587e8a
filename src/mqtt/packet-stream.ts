/**
 * The stream that the MQTT client library gets: it stands between the library and the socket, sees every byte, and passes
 * all of them on.
 *
 * It adds two things. In the first packet, the CONNECT, it sets the bridge bit (protocol level 0x84 instead of 4): brokers
 * that know it send a session none of its own messages and keep the retain flag. And it answers a small read that nobody
 * answers with a PINGREQ: a broker that leaves Nagle's algorithm on holds its next packet back until our kernel
 * acknowledges the last one, which the kernel delays by 40 ms unless it has something to send. The PINGRESP is such a packet
 * too, so a few more PINGREQs follow, ever further apart, until those 40 ms are over.
 */
import { Duplex } from "node:stream";
import { PacketWalk } from "./packet-walk.ts";
import { PubackCodes } from "./puback-codes.ts";

export interface PacketStreamOptions {
  readonly bridge: boolean;
  readonly ackByPing: boolean;
  /** Each write is one WebSocket message. */
  readonly framed: boolean;
}

const PINGREQ_TYPE = 0xc0;
const PINGREQ = Uint8Array.of(PINGREQ_TYPE, 0x00);
const PINGRESP_TYPE = 0xd0;
/**
 * The answer to one PINGREQ may itself wait behind a packet that came after we wrote it, so that packet needs another. A
 * third is not needed: an acknowledgement releases all that waits.
 */
const PINGS_OUT_MAX = 2;
/**
 * From each PINGRESP to the next PINGREQ. What the broker writes t ms after a packet waits about t ms more instead of the
 * rest of the 40; together they last almost as long.
 */
const FOLLOW_UP_MS = [2, 4, 8, 16] as const;
/**
 * The kernel delays its acknowledgements for a connection on which we write too; where we only read it sends them at once,
 * and a PINGREQ would make it stop that. So without a write of the library's for this long there is none.
 */
const QUIET_MS = 100;
/** Reason 0, in the short form that 3.1.1 and 5 share (MQTT5 3.14.2.1). */
const DISCONNECT = Uint8Array.of(0xe0, 0x00);

/** A full segment is sent at once in spite of Nagle; 1460 bytes is Ethernet's, and no link's is much smaller. */
const SMALL_READ_BYTES = 1460;
/**
 * Mosquitto handles one WebSocket message without looking at any other socket: what it forwards meanwhile waits in queues
 * that are limited by number. 16 KiB are a few hundred small messages.
 */
const FRAMED_WRITE_BYTES = 16_384;
/**
 * What the library may write before it waits for a drain. It also waits with a PUBACK, and reads nothing meanwhile: with a
 * broker that does the same, both would wait for ever. A few bytes are written per message read, so this is seconds of
 * reading; the owner of the connection stops handing down publishes at its own limit, which is higher.
 */
const WRITE_BYTES_MAX = 1_048_576;
/** Type, up to four length bytes, "MQTT" with its length: the level follows (MQTT 3.1.2). */
const LEVEL_AFTER_LENGTH = 6;
const BRIDGE_BIT = 0x80;

export class PacketStream extends Duplex {
  readonly pubackCodes = new PubackCodes();
  readonly #socket: Duplex;
  readonly #options: PacketStreamOptions;
  readonly #inbound = new PacketWalk();
  readonly #outbound = new PacketWalk();
  /** The CONNECT until it is complete, when something in it is to be changed. */
  #first: Buffer[] | null;
  #writes = 0;
  #writesAtPing = 0;
  #wroteAtMs = performance.now();
  /** PINGREQs without an answer, the library's own included. */
  #pingsOut = 0;
  #asked = false;
  /** How many of the follow-ups to the last small read were begun. */
  #followUps = 0;
  #followUpTimer: NodeJS.Timeout | null = null;
  #over = false;
  #pings = 0;
  #problem: Error | null = null;

  constructor(socket: Duplex, options: PacketStreamOptions) {
    super({ allowHalfOpen: false, writableHighWaterMark: WRITE_BYTES_MAX });
    this.#socket = socket;
    this.#options = options;
    this.#first = options.bridge ? [] : null;
    socket.on("data", (chunk: Buffer) => this.#received(chunk));
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
    return this.#pings;
  }

  /** Bytes that the kernel has not taken yet. A write counts here until the socket is done with it. */
  get waitingBytes(): number {
    return this.writableLength;
  }

  /** DISCONNECT behind everything that was written, then the end. The library writes whole packets, so it stands between two. */
  disconnect(): void {
    if (this.writable) this.end(DISCONNECT);
  }

  override _read(): void {
    if (this.#socket.isPaused()) this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#send(chunk, done);
  }

  /** What the library wrote in one turn leaves as one piece. */
  override _writev(chunks: { chunk: Buffer; encoding: BufferEncoding }[], done: (error?: Error | null) => void): void {
    this.#send(Buffer.concat(chunks.map(({ chunk }) => chunk)), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#problem ??= error;
    this.#over = true;
    this.#stopFollowUp();
    this.#socket.destroy();
    done(error);
  }

  #send(bytes: Buffer, done: (error?: Error | null) => void): void {
    this.#outbound.feed(bytes, (firstByte) => {
      if (firstByte === PINGREQ_TYPE) this.#pingsOut += 1;
    });
    const whole = this.#first === null ? bytes : this.#connectWith(this.#first, bytes);
    if (whole === null) {
      done();
      return;
    }
    this.#writes += 1;
    this.#wroteAtMs = performance.now();
    // A write to a socket that is gone is no failure of this stream: that the socket is gone is told elsewhere, with the reason.
    const written = (): void => done();
    const pieceBytes = this.#options.framed ? FRAMED_WRITE_BYTES : whole.length;
    let at = 0;
    for (; at + pieceBytes < whole.length; at += pieceBytes) {
      this.#socket.write(whole.subarray(at, at + pieceBytes));
    }
    this.#socket.write(whole.subarray(at), written);
  }

  /** The CONNECT with its bridge bit once it is complete. */
  #connectWith(held: Buffer[], bytes: Buffer): Buffer | null {
    held.push(bytes);
    if (!this.#outbound.atBoundary) return null;
    this.#first = null;
    const whole = Buffer.concat(held);
    let at = 1;
    while (((whole[at] ?? 0) & 0x80) !== 0) at += 1;
    const level = at + 1 + LEVEL_AFTER_LENGTH;
    whole[level] = (whole[level] ?? 0) | BRIDGE_BIT;
    return whole;
  }

  #received(chunk: Buffer): void {
    if (this.#over) return;
    const onlyPong = this.#inbound.atBoundary && chunk.length === 2 && chunk[0] === PINGRESP_TYPE;
    this.#inbound.feed(
      chunk,
      (firstByte) => {
        if (firstByte === PINGRESP_TYPE) this.#pingsOut = Math.max(0, this.#pingsOut - 1);
      },
      (firstByte, offset, begin, end) => this.pubackCodes.body(firstByte, offset, begin, end, chunk),
    );
    if (this.#options.ackByPing && !onlyPong && chunk.length < SMALL_READ_BYTES) this.#askForAck();
    if (!this.push(chunk)) this.#socket.pause();
    if (onlyPong) this.#answered();
  }

  /** At the end of this turn, if nothing was written until then. */
  #askForAck(): void {
    if (performance.now() - this.#wroteAtMs > QUIET_MS) return;
    this.#followUps = 0;
    this.#stopFollowUp();
    if (this.#asked || this.#pingsOut >= PINGS_OUT_MAX) return;
    this.#asked = true;
    const writesBefore = this.#writes;
    setImmediate(() => {
      this.#asked = false;
      if (this.#writes === writesBefore) this.#ping();
    });
  }

  #answered(): void {
    if (!this.#options.ackByPing) return;
    // The broker's answer to what we wrote behind the PINGREQ waits until this one is acknowledged.
    if (this.#writes !== this.#writesAtPing) {
      this.#askForAck();
      return;
    }
    const waitMs = FOLLOW_UP_MS[this.#followUps];
    if (waitMs === undefined || this.#followUpTimer !== null) return;
    this.#followUps += 1;
    const writesBefore = this.#writes;
    this.#followUpTimer = setTimeout(() => {
      this.#followUpTimer = null;
      // What was written meanwhile carried the acknowledgement; if it is answered, that is another read.
      if (this.#writes === writesBefore) this.#ping();
    }, waitMs);
  }

  #stopFollowUp(): void {
    if (this.#followUpTimer !== null) clearTimeout(this.#followUpTimer);
    this.#followUpTimer = null;
  }

  #ping(): void {
    if (this.#pingsOut >= PINGS_OUT_MAX || this.#over) return;
    // What waits here or in the socket carries the acknowledgement; and the last packet must be complete.
    if (this.writableLength > 0 || this.#socket.writableLength > 0) return;
    if (!this.#outbound.atBoundary || !this.writable) return;
    this.#writesAtPing = this.#writes;
    this.#pingsOut += 1;
    this.#pings += 1;
    this.#socket.write(PINGREQ);
  }

  /** What was read before the end is still handed on. */
  #finish(error: Error | null): void {
    this.#problem ??= error;
    if (this.#over) return;
    this.#over = true;
    this.#stopFollowUp();
    this.once("end", () => this.destroy());
    this.push(null);
  }
}
