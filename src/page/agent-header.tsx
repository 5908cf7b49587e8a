/** Who this is, whether it is well, and how much it knows of its own broker. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { StreamState } from "./agent-client.ts";
import { formatSome, formatSpan } from "./format.ts";
import type { Overview } from "./overview.ts";
import { Pill } from "./pill.tsx";

const THEME_KEY = "brokerlink-theme";
type Theme = "auto" | "light" | "dark";
const NEXT_THEME: Readonly<Record<Theme, Theme>> = { auto: "light", light: "dark", dark: "auto" };

function storedTheme(): Theme {
  const stored = localStorage.getItem(THEME_KEY);
  return stored === "light" || stored === "dark" ? stored : "auto";
}

function applyTheme(theme: Theme): void {
  document.documentElement.dataset["theme"] = theme;
  localStorage.setItem(THEME_KEY, theme);
}

applyTheme(storedTheme());

interface Props {
  readonly overview: Overview;
  readonly stream: StreamState;
}

export function AgentHeader({ overview, stream }: Props): JSX.Element {
  const [theme, setTheme] = useState(storedTheme);
  const { local } = overview;
  const down = Object.entries(local.sessions).filter(([, { up }]) => !up);
  const turnTheme = (): void => {
    const next = NEXT_THEME[theme];
    applyTheme(next);
    setTheme(next);
  };
  return (
    <header>
      <div class="title-row">
        <h1>
          <span class="brand">brokerlink</span> {overview.cluster}
        </h1>
        <button type="button" class="quiet" onClick={turnTheme} title="Light, dark, or as the system says">
          Theme: {theme}
        </button>
      </div>
      <p class="facts">
        <Pill tone={overview.ready ? "good" : "bad"}>{readyText(overview)}</Pill>
        {stream === "live" ? null : <Pill tone="bad">Stale: the agent does not answer</Pill>}
        <span>
          {local.broker} at <code>{local.server}</code>
        </span>
        <span>{formatSome(local.clients, "client")}</span>
        <span>{formatSome(local.subscriptions, "subscription")}</span>
        <span>up {formatSpan(Date.parse(overview.at) - Date.parse(overview.started_at))}</span>
        <span>version {overview.version}</span>
      </p>
      {down.map(([name, { reason }]) => (
        <p class="problem" role="status" key={name}>
          Session {name}: {reason ?? "not connected"}
        </p>
      ))}
      {local.wide === null ? null : (
        <p class="warning" role="status">
          Wide: more is asked of the peers than clients may want. {local.wide.text}
        </p>
      )}
    </header>
  );
}

function readyText({ ready, stopping }: Overview): string {
  if (stopping) return "Stopping";
  return ready ? "Ready" : "Not ready";
}
