/** What is known of the local broker's HTTP API, where the adapter asks one beside reading events. */

export interface ApiProblem {
  readonly code: "LOCAL_API_UNREACHABLE" | "LOCAL_API_TLS" | "LOCAL_API_REFUSED" | "LOCAL_API_FAILED";
  readonly why: string;
}

export interface BrokerApiStatus {
  /** `starting`: nothing was answered yet. */
  readonly state: "starting" | "working" | "failing";
  readonly problem: ApiProblem | null;
  /** Lists of subscriptions read from end to end, and tries that failed. */
  readonly snapshots: number;
  readonly failures: number;
  /** Of the last list: how many rows, when it was through, how long that took, whether nothing moved meanwhile. */
  readonly last: {
    readonly rows: number;
    readonly atMs: number;
    readonly tookMs: number;
    readonly calm: boolean;
  } | null;
}
