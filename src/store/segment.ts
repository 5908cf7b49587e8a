/**
 * One file of a spool, and its bytes in memory while they are needed: always until the disk has them for certain, later only
 * while somebody reads here. Messages lie in it in the order of their numbers.
 */
import { assert } from "../base/assert.ts";
import type { SpoolEntry } from "../flow/spool-log.ts";
import { unpackMessage } from "../wire/frame.ts";
import { HEAD_BYTES } from "./file-head.ts";
import type { FileSystem } from "./file-system.ts";
import { RECORD_HEAD_BYTES, sealRecord } from "./record.ts";
import { type SegmentHead, writeSegmentHead } from "./segment-head.ts";
import { SEGMENT_MESSAGES_MAX, scanSegment } from "./segment-scan.ts";
import {
  MESSAGE_HEAD_BYTES,
  readMessageHead,
  SMALL_BODY_BYTES_MAX,
  writeEndBody,
  writeMessageBody,
  writeNoteBody,
} from "./spool-record.ts";

const CAPACITY_AT_FIRST = 16 * 1024;
const GROWTH_BYTES_MAX = 256 * 1024;
/** Room that is kept for notes and the end beside a message. */
const SMALL_ROOM_BYTES = 4 * (RECORD_HEAD_BYTES + SMALL_BODY_BYTES_MAX);

interface Loaded {
  file: Buffer;
  offsets: Uint32Array;
}

/** A message as it lies in the file. */
export interface RawMessage {
  readonly number: number;
  readonly storedAtMs: number;
  readonly bytes: number;
  readonly packed: Uint8Array;
}

export class Segment {
  readonly path: string;
  readonly head: SegmentHead;
  /** Of the last message here; `first - 1`: none. */
  last: number;
  /** Of the messages here; and the size, as the limit counts it, of those that are still kept. */
  count = 0;
  bytes = 0;
  /** Bytes of the file that are written, and those that are on the disk for certain. */
  written: number;
  synced: number;
  /** Its name in the folder is on the disk for certain. */
  named: boolean;
  fd: number | null = null;
  /** The disk is at work on it: its descriptor must stay open. */
  syncing = false;
  discarded = false;
  #tail: number;
  #loaded: Loaded | null;

  private constructor(path: string, head: SegmentHead, size: number, loaded: Loaded | null) {
    this.path = path;
    this.head = head;
    this.last = head.first - 1;
    this.#tail = size;
    this.#loaded = loaded;
    this.written = loaded === null ? size : 0;
    this.synced = this.written;
    this.named = loaded === null;
  }

  /** A new one, in memory only. */
  static begin(path: string, head: SegmentHead): Segment {
    const file = Buffer.allocUnsafeSlow(CAPACITY_AT_FIRST);
    writeSegmentHead(file, head);
    return new Segment(path, head, HEAD_BYTES, { file, offsets: new Uint32Array(64) });
  }

  /** One that an earlier life wrote; `size` of it is good. */
  static found(
    path: string,
    head: SegmentHead,
    state: { readonly size: number; readonly last: number; readonly count: number; readonly bytes: number },
  ): Segment {
    const segment = new Segment(path, head, state.size, null);
    segment.last = state.last;
    segment.count = state.count;
    segment.bytes = state.bytes;
    return segment;
  }

  get first(): number {
    return this.head.first;
  }

  get tail(): number {
    return this.#tail;
  }

  /** Bytes in memory. */
  get memoryBytes(): number {
    return this.#loaded === null ? 0 : this.#loaded.file.length + this.#loaded.offsets.byteLength;
  }

  /** Bytes that the disk does not have for certain. */
  get pendingBytes(): number {
    return this.#tail - this.synced;
  }

  get isLoaded(): boolean {
    return this.#loaded !== null;
  }

  hasRoomFor(packedBytes: number, number: number, segmentBytes: number): boolean {
    if (number - this.first >= SEGMENT_MESSAGES_MAX) return false;
    if (this.last < this.first) return true;
    return this.#tail + RECORD_HEAD_BYTES + MESSAGE_HEAD_BYTES + packedBytes <= segmentBytes;
  }

  appendMessage(message: RawMessage): void {
    const bodyBytesMax = MESSAGE_HEAD_BYTES + message.packed.length;
    const loaded = this.#reserve(bodyBytesMax);
    const index = message.number - this.first;
    assert(message.number > this.last && index < SEGMENT_MESSAGES_MAX, `number ${message.number} is out of order`);
    if (index >= loaded.offsets.length) {
      const larger = new Uint32Array(Math.max(index + 1, 2 * loaded.offsets.length));
      larger.set(loaded.offsets);
      loaded.offsets = larger;
    }
    loaded.offsets[index] = this.#tail + RECORD_HEAD_BYTES;
    this.#seal(writeMessageBody(loaded.file, this.#tail + RECORD_HEAD_BYTES, message, message.packed));
    this.last = message.number;
    this.count += 1;
    this.bytes += message.bytes;
  }

  appendNote(base: number, ceiling: number): void {
    const { file } = this.#reserve(SMALL_BODY_BYTES_MAX);
    this.#seal(writeNoteBody(file, this.#tail + RECORD_HEAD_BYTES, base, ceiling));
  }

  appendEnd(next: number): void {
    const { file } = this.#reserve(SMALL_BODY_BYTES_MAX);
    this.#seal(writeEndBody(file, this.#tail + RECORD_HEAD_BYTES, next));
  }

  /** Hands what is not written to the disk. Throws what the disk says; what was taken in part is taken back. */
  write(fs: FileSystem): void {
    const { file } = this.#memory();
    this.fd ??= fs.create(this.path);
    let at = this.written;
    try {
      while (at < this.#tail) at += fs.write(this.fd, file.subarray(at, this.#tail), at);
    } catch (error) {
      if (at > this.written) this.#takeBack(fs, this.fd);
      throw error;
    }
    this.written = at;
  }

  /** The message of this number; undefined: it is not here. The segment must be loaded. */
  raw(number: number): RawMessage | undefined {
    const { file, offsets } = this.#memory();
    const at = offsets[number - this.first] ?? 0;
    if (number > this.last || at === 0) return undefined;
    const bodyBytes = file.readUInt32BE(at - RECORD_HEAD_BYTES + 4);
    return { ...readMessageHead(file, at), packed: file.subarray(at + MESSAGE_HEAD_BYTES, at + bodyBytes) };
  }

  entry(number: number): SpoolEntry | undefined {
    const raw = this.raw(number);
    const unpacked = raw === undefined ? null : unpackMessage(raw.packed);
    if (raw === undefined || unpacked?.ok !== true) return undefined;
    return { number, message: unpacked.value, bytes: raw.bytes, storedAtMs: raw.storedAtMs };
  }

  /** What is not on the disk for certain, from `base` on. */
  unsynced(base: number): RawMessage[] {
    const { offsets } = this.#memory();
    const found: RawMessage[] = [];
    for (let number = Math.max(base, this.first); number <= this.last; number += 1) {
      const raw = (offsets[number - this.first] ?? 0) < this.synced ? undefined : this.raw(number);
      if (raw !== undefined) found.push(raw);
    }
    return found;
  }

  /** Ends it with what the disk has for certain: what was behind that is written elsewhere. */
  cut(fs: FileSystem, base: number): void {
    const { offsets } = this.#memory();
    while (this.last >= this.first && (offsets[this.last - this.first] ?? 0) >= this.synced) this.last -= 1;
    this.#tail = this.synced;
    this.written = this.synced;
    this.recount(base);
    if (this.fd !== null) this.#takeBack(fs, this.fd);
  }

  /** Reads the file again. Throws what the disk says. Damage since the last look leaves gaps: `recount` shows them. */
  load(fs: FileSystem): void {
    const file = fs.read(this.path).subarray(0, this.#tail);
    this.#loaded = { file, offsets: scanSegment(file, this.head).offsets };
  }

  /** Counts what is here, and the size of what is kept from `base` on. */
  recount(base: number): void {
    this.count = 0;
    this.bytes = this.bytesBetween(base, this.last + 1);
    for (const at of this.#memory().offsets.subarray(0, this.last - this.first + 1)) if (at !== 0) this.count += 1;
  }

  /** Of the messages from `from` on and before `to`. */
  bytesBetween(from: number, to: number): number {
    const { file, offsets } = this.#memory();
    let bytes = 0;
    for (let number = Math.max(from, this.first); number < Math.min(to, this.last + 1); number += 1) {
      const at = offsets[number - this.first] ?? 0;
      if (at !== 0) bytes += readMessageHead(file, at).bytes;
    }
    return bytes;
  }

  unload(): void {
    assert(this.synced === this.#tail, `${this.path} is not on the disk yet`);
    this.#loaded = null;
  }

  #memory(): Loaded {
    assert(this.#loaded !== null, `${this.path} is not loaded`);
    return this.#loaded;
  }

  #reserve(bodyBytes: number): Loaded {
    const loaded = this.#memory();
    const needed = this.#tail + RECORD_HEAD_BYTES + bodyBytes;
    if (needed > loaded.file.length) {
      const grown = loaded.file.length + Math.min(loaded.file.length, GROWTH_BYTES_MAX);
      const larger = Buffer.allocUnsafeSlow(Math.max(needed + SMALL_ROOM_BYTES, grown));
      loaded.file.copy(larger, 0, 0, this.#tail);
      loaded.file = larger;
    }
    return loaded;
  }

  #seal(bodyBytes: number): void {
    sealRecord(this.#memory().file, this.#tail, bodyBytes, this.head.salt);
    this.#tail += RECORD_HEAD_BYTES + bodyBytes;
  }

  #takeBack(fs: FileSystem, fd: number): void {
    try {
      fs.truncate(fd, this.written);
    } catch {
      // A disk that takes nothing back either: the next try writes over it, and an opening cuts a torn end off.
    }
  }
}
