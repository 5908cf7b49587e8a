/** The routes of all links, searched and paged by the agent: tables have up to a million rows. */
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { AgentClient } from "./agent-client.ts";
import { formatSome } from "./format.ts";
import type { RouteAnswer, RoutesAnswer } from "./overview.ts";

const ROWS = 20;
/** So long nothing is asked while somebody types. */
const TYPING_MS = 250;

interface Props {
  readonly client: AgentClient;
  readonly links: readonly string[];
}

export function RouteExplorer({ client, links }: Props): JSX.Element {
  const [direction, setDirection] = useState<"out" | "in">("in");
  const [link, setLink] = useState("");
  const [search, setSearch] = useState("");
  const [page, setPage] = useState(1);
  const [answer, setAnswer] = useState<RoutesAnswer | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [asked, setAsked] = useState(0);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    let isOver = false;
    const timer = setTimeout(() => {
      const query = new URLSearchParams({ direction, page: String(page), limit: String(ROWS) });
      if (link !== "") query.set("link", link);
      if (search !== "") query.set("search", search);
      client.get<RoutesAnswer>(`api/v1/routes?${query}`).then(
        (found) => {
          if (isOver) return;
          setProblem(null);
          setAnswer(found);
        },
        (error: unknown) => {
          if (!isOver) setProblem(error instanceof Error ? error.message : String(error));
        },
      );
    }, TYPING_MS);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [client, direction, link, search, page, asked]);
  useEffect(() => {
    const toField = (event: KeyboardEvent): void => {
      const isTyping =
        event.target instanceof HTMLElement && event.target.closest("input, textarea, select, dialog") !== null;
      if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      field.current?.focus();
    };
    document.addEventListener("keydown", toField);
    return () => document.removeEventListener("keydown", toField);
  }, []);
  const from = (change: () => void): void => {
    change();
    setPage(1);
  };
  return (
    <section aria-labelledby="routes-title">
      <h2 id="routes-title">Routes</h2>
      <div class="row">
        <select
          aria-label="Direction"
          value={direction}
          onChange={(event) => from(() => setDirection(event.currentTarget.value === "out" ? "out" : "in"))}
        >
          <option value="in">asked by the peer</option>
          <option value="out">asked of the peer</option>
        </select>
        <select aria-label="Link" value={link} onChange={(event) => from(() => setLink(event.currentTarget.value))}>
          <option value="">all links</option>
          {links.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
        <input
          ref={field}
          type="search"
          aria-label="Search filters"
          placeholder="Part of a filter ( / )"
          value={search}
          onInput={(event) => from(() => setSearch(event.currentTarget.value))}
        />
        <button type="button" onClick={() => setAsked(asked + 1)}>
          Refresh
        </button>
      </div>
      {problem === null ? null : (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      {answer === null ? null : <Rows answer={answer} />}
      {answer === null ? null : (
        <div class="row">
          <button type="button" disabled={page <= 1} onClick={() => setPage(page - 1)}>
            Previous
          </button>
          <span role="status">
            page {answer.meta.page}, {formatSome(answer.meta.count, "route")}
          </span>
          <button type="button" disabled={!answer.meta.hasnext} onClick={() => setPage(page + 1)}>
            Next
          </button>
        </div>
      )}
    </section>
  );
}

function Rows({ answer }: { readonly answer: RoutesAnswer }): JSX.Element {
  if (answer.data.length === 0) return <p class="hint">No route matches.</p>;
  return (
    <div class="table">
      <table>
        <thead>
          <tr>
            <th scope="col">Filter</th>
            <th scope="col">Link</th>
            <th scope="col">Remarks</th>
          </tr>
        </thead>
        <tbody>
          {answer.data.map((route) => (
            <tr key={`${route.link} ${route.filter}`}>
              <td>
                <code>{route.filter}</code>
              </td>
              <td>{route.link}</td>
              <td>{remarks(route)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function remarks({ groups, refused }: RouteAnswer): string {
  const shared = groups.length === 0 ? [] : [`shared by ${groups.join(", ")}`];
  const no = refused === null ? [] : [`refused (0x${refused.toString(16)})`];
  return [...shared, ...no].join("; ");
}
