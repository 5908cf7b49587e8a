/** "Explain a topic": where a message on it would go from here, what of it would come, and why (not). */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { AgentClient } from "./agent-client.ts";
import type { ExplainAnswer, VerdictAnswer } from "./overview.ts";
import { Pill } from "./pill.tsx";

export function Explain({ client }: { readonly client: AgentClient }): JSX.Element {
  const [topic, setTopic] = useState("");
  const [answer, setAnswer] = useState<ExplainAnswer | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const submit = (event: Event): void => {
    event.preventDefault();
    client.get<ExplainAnswer>(`api/v1/explain?topic=${encodeURIComponent(topic)}`).then(
      (found) => {
        setAnswer(found);
        setProblem(found.problem);
      },
      (error: unknown) => {
        setAnswer(null);
        setProblem(error instanceof Error ? error.message : String(error));
      },
    );
  };
  return (
    <section aria-labelledby="explain-title">
      <h2 id="explain-title">Explain a topic</h2>
      <form class="row" onSubmit={submit}>
        <label for="explain-topic" class="hidden">
          Topic
        </label>
        <input
          id="explain-topic"
          type="text"
          placeholder="plant/7/temperature"
          value={topic}
          onInput={(event) => setTopic(event.currentTarget.value)}
          spellcheck={false}
          autocomplete="off"
          required
        />
        <button type="submit" class="primary">
          Explain
        </button>
      </form>
      <div aria-live="polite">
        {problem === null ? null : <p class="problem">{problem}</p>}
        {answer === null || answer.problem !== null ? null : <Verdicts answer={answer} />}
      </div>
    </section>
  );
}

function Verdicts({ answer }: { readonly answer: ExplainAnswer }): JSX.Element {
  const { interest } = answer;
  const filters = interest.filters.map(({ filter, clients }) => `${filter} (${clients})`).join(", ");
  return (
    <div class="verdicts">
      <p>
        {interest.clients === 0
          ? "No client of this broker is known to subscribe to it."
          : `Subscribed here: ${filters}.`}
        {interest.exact ? "" : " The table is not proven complete: there may be more."}
      </p>
      <h3>A message published here on {answer.topic}</h3>
      <VerdictList verdicts={answer.out} />
      <h3>A message published there on {answer.topic}</h3>
      <VerdictList verdicts={answer.in} />
    </div>
  );
}

const WORDS = { sent: "sent", not_sent: "not sent", wanted: "comes", not_wanted: "does not come" } as const;

function VerdictList({ verdicts }: { readonly verdicts: readonly VerdictAnswer[] }): JSX.Element {
  if (verdicts.length === 0) return <p class="hint">No link.</p>;
  return (
    <ul>
      {verdicts.map(({ link, verdict, text, route }) => (
        <li key={link}>
          <b>{link}</b> <Pill tone={verdict === "sent" || verdict === "wanted" ? "good" : "off"}>{WORDS[verdict]}</Pill>{" "}
          {text}
          {route === null ? "" : " "}
          {route === null ? null : <code>{route}</code>}
        </li>
      ))}
    </ul>
  );
}
