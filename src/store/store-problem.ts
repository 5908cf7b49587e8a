/** What the store has to say: a code of the table, and a sentence that names file, number and cause. */
import type { ErrorCode } from "../base/error-codes.ts";

export interface StoreProblem {
  readonly code: ErrorCode;
  readonly message: string;
}

export type Report = (problem: StoreProblem) => void;

/** Answers of what asks the disk to take something: a full disk is no exception, it is a Tuesday. */
export type DiskAnswer =
  | { readonly ok: true }
  | { readonly ok: false; readonly code: ErrorCode; readonly reason: string };

export const DISK_TOOK_IT: DiskAnswer = { ok: true };

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
