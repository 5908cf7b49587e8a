/** A filter announced to a peer, with the shared-subscription groups behind it (empty: at least one plain subscriber). */
export interface Route {
  readonly filter: string;
  readonly groups: readonly string[];
}

/** One change of an announced route set. Adding a filter that is there already replaces its groups. */
export type RouteOp =
  | { readonly op: "add"; readonly filter: string; readonly groups: readonly string[] }
  | { readonly op: "delete"; readonly filter: string };
