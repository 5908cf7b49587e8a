/** How the API changes links, without knowing who owns the configuration and what a change sets in motion. */

/** Changes the links of a running agent. `link`: raw, as it stands in the file (snake_case keys). Nothing changes unless ok. */
export interface LinkEditor {
  /** null: changes are possible; else why not, for people (for example: the file is read-only, or the links come from the environment). */
  readonly readOnlyReason: string | null;
  create(link: Readonly<Record<string, unknown>>): Promise<EditResult>;
  /** Whole new value, as EMQX's PUT; a secret given as "******" keeps the one that is there. */
  update(name: string, link: Readonly<Record<string, unknown>>): Promise<EditResult>;
  remove(name: string): Promise<EditResult>;
}

export type EditResult =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly code: "NOT_FOUND" | "ALREADY_EXISTS" | "BAD_REQUEST" | "READ_ONLY" | "WRITE_FAILED";
      readonly message: string;
    };
