/** One question at a time to a broker's HTTP API. Owns the shape only; `emqx-api.ts` speaks HTTP, tests answer by hand. */
import type { ApiProblem } from "../ops/broker-api-status.ts";

export type ApiAnswer =
  | { readonly ok: true; readonly body: Uint8Array }
  | {
      readonly ok: false;
      readonly problem: ApiProblem;
      /** How long the server asks to be left alone; null: it does not say. */
      readonly retryAfterMs: number | null;
    };

export interface ApiTransport {
  /** `path` begins behind `/api/v5`. Never answers before it returns; not at all once cancelled. */
  get(path: string, done: (answer: ApiAnswer) => void): void;
  cancel(): void;
}
