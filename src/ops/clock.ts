/**
 * The agent's clock: the wall's time when the process began, and from there on as even as the machine can count. A wall
 * clock that is set back would put every deadline, heartbeats too, as far into the future.
 */
export function clockMs(): number {
  return Math.floor(performance.timeOrigin + performance.now());
}
