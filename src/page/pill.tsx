/** One word of state, with a colour and without needing it. */
import type { JSX } from "preact";
import type { Tone } from "./link-tone.ts";

export function Pill({ tone, children }: { readonly tone: Tone; readonly children: string }): JSX.Element {
  return <span class={`pill ${tone}`}>{children}</span>;
}
