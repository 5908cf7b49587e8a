/** Waits until something is true: the demo never waits for a time, only for what it wants to show. */

const POLL_MS = 5;

/** True, or what is still in the way. */
export type Condition = () => true | string;

export type Waited = { readonly ok: true; readonly tookMs: number } | { readonly ok: false; readonly last: string };

/** Asks until the answer is `true`; the last reason when it is not within `timeoutMs`. */
export async function waitFor(condition: Condition, timeoutMs: number): Promise<Waited> {
  const startMs = performance.now();
  for (;;) {
    const answer = condition();
    const tookMs = performance.now() - startMs;
    if (answer === true) return { ok: true, tookMs };
    if (tookMs >= timeoutMs) return { ok: false, last: answer };
    await new Promise((again) => setTimeout(again, POLL_MS));
  }
}

export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
