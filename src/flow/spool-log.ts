import type { Message } from "../wire/message.ts";
export interface SpoolEntry {
  readonly number: number;
  readonly message: Message /** Its size in a frame. */;
  readonly bytes: number;
  readonly storedAtMs: number;
}
/** Where one stream's messages are kept, in the order of their numbers, from `base` to `lastNumber` without a gap. */
export interface SpoolLog {
  readonly stream: string;
  readonly base: number;
  readonly lastNumber: number;
  /** Of all that is kept, as the limit counts them. */
  readonly bytes: number;
  /** What is up to here survives the process. A log in memory answers lastNumber. */
  readonly durableNumber: number;
  append(message: Message, bytes: number, nowMs: number): number; // answers its number
  /** undefined: not kept, or unreadable (the log has counted it). */
  get(number: number): SpoolEntry | undefined;
  /** Forgets everything below `base`. */
  free(base: number): void;
}
