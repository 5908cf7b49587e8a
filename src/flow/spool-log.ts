/** What keeps one stream's reliable messages: in memory, or on disk by a shell. Pure declaration. */
import type { Message } from "../wire/message.ts";

export interface SpoolEntry {
  readonly number: number;
  readonly message: Message;
  /** Its size in a frame. */
  readonly bytes: number;
  readonly storedAtMs: number;
}

/** Where one stream's messages are kept, in the order of their numbers, from `base` to `lastNumber` without a gap. */
export interface SpoolLog {
  /** Random for every life of the log: a number of one stream is never given to another message. */
  readonly stream: string;
  readonly base: number;
  readonly lastNumber: number;
  /** Of all that is kept, as the limit counts them. */
  readonly bytes: number;
  /** It takes nothing for now (a disk that is full): what comes has to wait, unacknowledged. */
  readonly isFull: boolean;
  /** What is up to here survives the process. A log in memory answers lastNumber. */
  readonly durableNumber: number;
  /** Answers its number. */
  append(message: Message, bytes: number, nowMs: number): number;
  /** undefined: not kept, or unreadable (the log has counted it). */
  get(number: number): SpoolEntry | undefined;
  /** Forgets everything below `base`. */
  free(base: number): void;
}
