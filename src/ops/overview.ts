/** One answer with everything the page and `brokerlink status` show: the local broker, and every link with its past. */
import type { ErrorCode } from "../base/error-codes.ts";
import type { AgentStatus, AgentView, SessionStatus } from "./agent-status.ts";
import { type LinkAnswer, linkAnswers } from "./link-answer.ts";
import type { LinkEditor } from "./link-editor.ts";
import { wideText } from "./wide-text.ts";

export interface Overview {
  readonly at: string;
  readonly cluster: string;
  readonly version: string;
  readonly ready: boolean;
  readonly stopping: boolean;
  readonly started_at: string;
  /** Whether links can be changed through the API. */
  readonly editable: boolean;
  readonly read_only_reason: string | null;
  readonly local: LocalAnswer;
  readonly links: readonly LinkAnswer[];
}

interface LocalAnswer {
  readonly broker: string;
  readonly server: string;
  readonly sessions: Readonly<Record<"events" | "link" | "data", SessionStatus>>;
  /** Why links ask for all of their topics; null: every subscription is known. */
  readonly wide: { readonly reason: string; readonly since: string; readonly text: string } | null;
  readonly subscriptions: number;
  readonly clients: number;
  /** Another agent speaks in the name of this cluster. */
  readonly duplicate_agent: boolean;
  /** The control topic that the local broker keeps from us, and why; null: none. */
  readonly control_denied: string | null;
  /** What to change in the local broker so that it announces subscriptions; null: nothing. */
  readonly events_advice: string | null;
  /** Code and reason while the local broker's API does not answer as it should; null: it does, or there is none. */
  readonly api_problem: string | null;
  /** Code and reason while the disk takes nothing; null: it is well, or nothing is kept. */
  readonly disk_problem: string | null;
  /** How often each problem occurred, `link` null: of the whole agent. */
  readonly problems: readonly { readonly link: string | null; readonly code: ErrorCode; readonly count: number }[];
}

/** Said where nothing can change a link. */
export const NO_EDITOR = "this agent takes no changes over HTTP";

export function overview(agent: AgentView, editor: LinkEditor | null, nowMs: number): Overview {
  const status = agent.status();
  const reason = editor === null ? NO_EDITOR : editor.readOnlyReason;
  return {
    at: new Date(nowMs).toISOString(),
    cluster: status.hub.cluster,
    version: status.version,
    ready: agent.ready,
    stopping: status.stopping,
    started_at: new Date(status.startedAtMs).toISOString(),
    editable: reason === null,
    read_only_reason: reason,
    local: localAnswer(agent, status),
    links: linkAnswers(agent.config, status, agent.history),
  };
}

function localAnswer({ config: { local } }: AgentView, status: AgentStatus): LocalAnswer {
  const { wide, interest, duplicate } = status.hub;
  const sinceMs = wide?.sinceMs ?? 0;
  const problem = status.brokerApi?.problem ?? null;
  return {
    broker: local.broker,
    server: local.urls.join(","),
    sessions: status.sessions,
    wide:
      wide === null
        ? null
        : { reason: wide.reason, since: new Date(sinceMs).toISOString(), text: wideText(wide.reason).why },
    subscriptions: interest.rows,
    clients: interest.clients,
    duplicate_agent: duplicate,
    control_denied: status.controlDenied,
    events_advice: status.eventsAdvice,
    api_problem: problem === null ? null : `${problem.code}: ${problem.why}`,
    disk_problem: status.store?.problem ?? null,
    problems: status.problems,
  };
}
