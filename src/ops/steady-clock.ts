/**
 * The time that the agent decides by: milliseconds since the epoch when the process started, and from then on as they
 * pass. The wall clock may be set back or forward at any time; silence, retention and age must not change with it.
 */
export function steadyNowMs(): number {
  return Math.floor(performance.timeOrigin + performance.now());
}
