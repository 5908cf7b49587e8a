/** What the page shows, as GET /api/v1/overview and the stream send it, and the types of the other answers it reads. */
import type { LinkAnswer } from "../ops/link-answer.ts";

export type { LinkAnswer } from "../ops/link-answer.ts";

export interface Overview {
  readonly at: string;
  readonly cluster: string;
  readonly version: string;
  readonly ready: boolean;
  readonly stopping: boolean;
  readonly started_at: string;
  readonly editable: boolean;
  readonly read_only_reason: string | null;
  readonly local: LocalOverview;
  readonly links: readonly LinkAnswer[];
}

export interface LocalOverview {
  readonly broker: string;
  readonly server: string;
  readonly sessions: Readonly<Record<string, { readonly up: boolean; readonly reason: string | null }>>;
  readonly wide: { readonly reason: string; readonly since: string; readonly text: string } | null;
  readonly subscriptions: number;
  readonly clients: number;
}

export interface Meta {
  readonly page: number;
  readonly limit: number;
  readonly count: number;
  readonly hasnext: boolean;
}

export interface RouteAnswer {
  readonly link: string;
  readonly direction: "out" | "in";
  readonly filter: string;
  readonly groups: readonly string[];
  readonly refused: number | null;
}

export interface RoutesAnswer {
  readonly data: readonly RouteAnswer[];
  readonly meta: Meta;
}

export interface VerdictAnswer {
  readonly link: string;
  readonly verdict: "sent" | "not_sent" | "wanted" | "not_wanted";
  readonly text: string;
  readonly route: string | null;
}

export interface ExplainAnswer {
  readonly topic: string;
  readonly problem: string | null;
  readonly interest: {
    readonly exact: boolean;
    readonly filters: readonly { readonly filter: string; readonly clients: number }[];
    readonly clients: number;
  };
  readonly out: readonly VerdictAnswer[];
  readonly in: readonly VerdictAnswer[];
}
