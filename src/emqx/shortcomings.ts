/**
 * What a link that speaks EMQX's protocol cannot do, and one of our own can: words for status and scripts. docs/EMQX.md says
 * what each means.
 */
export const EMQX_SHORTCOMINGS = [
  /** Nobody compares the two sides' routes: a difference stays until the next bootstrap. */
  "no_digest",
  /** A message is confirmed when EMQX's broker has it, be it in memory only. */
  "no_durable_acknowledgement",
  /** A message may reach EMQX's side before the route that it answers to. */
  "no_causality_inward",
  /** Each side has to reach the other's broker. */
  "needs_both_ways",
  /** A route that a broker refuses is not told to the other side. */
  "no_refused_routes",
  /** What is retained on the one side is never brought to the other. */
  "no_retained_sync",
] as const;
