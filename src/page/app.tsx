/** The whole screen: what is known, what the stream says, and which dialog is open. */
import type { JSX } from "preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { type AgentClient, AnswerError, type StreamState } from "./agent-client.ts";
import { AgentHeader } from "./agent-header.tsx";
import { ConfirmDialog, type Question } from "./confirm-dialog.tsx";
import { Explain } from "./explain.tsx";
import { LinkCard } from "./link-card.tsx";
import { LinkForm } from "./link-form.tsx";
import { writableLink } from "./link-value.ts";
import { Neighbourhood } from "./neighbourhood.tsx";
import type { LinkAnswer, Overview } from "./overview.ts";
import { RateHistory } from "./rate-history.ts";
import { RouteExplorer } from "./route-explorer.tsx";
import { TokenGate } from "./token-gate.tsx";

const LINKS_PATH = "api/v5/cluster/links";

function linkPath(name: string): string {
  return `${LINKS_PATH}/link/${encodeURIComponent(name)}`;
}

export function App({ client }: { readonly client: AgentClient }): JSX.Element {
  const [overview, setOverview] = useState<Overview | null>(null);
  const [stream, setStream] = useState<StreamState>("connecting");
  const [tokenTried, setTokenTried] = useState(false);
  /** null: no form; "new": for a link to be; else the link as the form began with it. */
  const [form, setForm] = useState<LinkAnswer | "new" | null>(null);
  const [question, setQuestion] = useState<Question | null>(null);
  const [notice, setNotice] = useState<string | null>(null);
  const rates = useRef(new Map<string, RateHistory>());

  const follow = useCallback(() => {
    const seen = (next: Overview): void => {
      const names = new Set(next.links.map(({ name }) => name));
      for (const name of rates.current.keys()) if (!names.has(name)) rates.current.delete(name);
      for (const link of next.links) {
        const history = rates.current.get(link.name) ?? new RateHistory();
        rates.current.set(link.name, history);
        history.add(link, Date.parse(next.at));
      }
      setOverview(next);
    };
    void client.follow(seen, setStream);
  }, [client]);
  useEffect(() => {
    follow();
    return () => client.stop();
  }, [client, follow]);

  /** A refused token opens the gate; whatever else goes wrong is said where it was tried. */
  const change = async (method: "POST" | "PUT" | "DELETE", path: string, body?: unknown): Promise<void> => {
    try {
      await client.change(method, path, body);
    } catch (error) {
      if (error instanceof AnswerError && error.status === 401) setStream("unauthorized");
      throw error;
    }
  };
  const attempt = (work: Promise<void>): void => {
    work.then(
      () => setNotice(null),
      (error: unknown) => setNotice(error instanceof Error ? error.message : String(error)),
    );
  };

  if (stream === "unauthorized") {
    const enter = (token: string): void => {
      setTokenTried(true);
      client.useToken(token);
      follow();
    };
    return <TokenGate wrong={tokenTried || client.hasToken} onToken={enter} />;
  }
  if (overview === null) {
    return (
      <p class="waiting">{stream === "lost" ? "The agent does not answer. Trying again …" : "Asking the agent …"}</p>
    );
  }
  const nowMs = Date.parse(overview.at);
  const toggle = (link: LinkAnswer): void =>
    attempt(change("PUT", linkPath(link.name), { ...writableLink(link), enable: !link.enable }));
  const askToDelete = (link: LinkAnswer): void =>
    setQuestion({
      title: `Delete the link to ${link.name}?`,
      text: `The peer is told, its routes end, and what still waits for it (${link.brokerlink.queue?.spool_messages ?? 0} messages) is given up.`,
      yes: "Delete",
      act: () => attempt(change("DELETE", linkPath(link.name))),
    });
  const askToDisable = (link: LinkAnswer): void => {
    if (!link.enable) toggle(link);
    else
      setQuestion({
        title: `Disable the link to ${link.name}?`,
        text: "Nothing crosses it any more, in either direction, until it is enabled again.",
        yes: "Disable",
        act: () => toggle(link),
      });
  };
  return (
    <>
      <a class="skip" href="#links">
        Skip to the links
      </a>
      <AgentHeader overview={overview} stream={stream} />
      <main>
        {notice === null ? null : (
          <p class="notice" role="alert">
            {notice}{" "}
            <button type="button" onClick={() => setNotice(null)}>
              Dismiss
            </button>
          </p>
        )}
        <Neighbourhood overview={overview} rates={rates.current} />
        <section id="links" aria-labelledby="links-title">
          <div class="title-row">
            <h2 id="links-title">Links</h2>
            {overview.editable ? (
              <button type="button" class="primary" onClick={() => setForm("new")}>
                Add a link
              </button>
            ) : (
              <p class="hint">{overview.read_only_reason ?? "Links cannot be changed here."}</p>
            )}
          </div>
          {overview.links.length === 0 ? <p class="hint">No link is configured yet.</p> : null}
          <div class="cards">
            {overview.links.map((link) => (
              <LinkCard
                key={link.name}
                link={link}
                points={rates.current.get(link.name)?.points ?? []}
                nowMs={nowMs}
                actions={
                  overview.editable
                    ? {
                        toggle: () => askToDisable(link),
                        edit: () => setForm(link),
                        remove: () => askToDelete(link),
                      }
                    : null
                }
              />
            ))}
          </div>
        </section>
        <div class="columns">
          <Explain client={client} />
          <RouteExplorer client={client} links={overview.links.map(({ name }) => name)} />
        </div>
      </main>
      {form === null ? null : (
        <LinkForm
          link={form === "new" ? null : form}
          onClose={() => setForm(null)}
          onSave={async (value) => {
            if (form === "new") await change("POST", LINKS_PATH, value);
            else await change("PUT", linkPath(form.name), value);
            setForm(null);
          }}
        />
      )}
      {question === null ? null : <ConfirmDialog question={question} onClose={() => setQuestion(null)} />}
    </>
  );
}
