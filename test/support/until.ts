/** Polls until `condition` answers true; a string is the reason it is not true yet. */
export async function until(
  what: string,
  condition: () => boolean | string | Promise<boolean | string>,
  timeoutMs = 10_000,
): Promise<void> {
  const endMs = Date.now() + timeoutMs;
  let last: boolean | string = false;
  for (;;) {
    last = await condition();
    if (last === true) return;
    if (Date.now() > endMs) {
      throw new Error(`not within ${timeoutMs} ms: ${what}${typeof last === "string" ? ` (last: ${last})` : ""}`);
    }
    await new Promise((again) => setImmediate(again));
    await new Promise((again) => setTimeout(again, 5));
  }
}
