/** What becomes of a topic, for a person. */
import { grouped } from "../config/formats.ts";
import { printable, quoted } from "../config/printable.ts";
import type { Paint } from "../demo/screen.ts";
import { wrap } from "../demo/wrap.ts";
import type { ExplainAnswer, InAnswer, OutAnswer } from "../ops/explain-answer.ts";

const FILTERS_SHOWN = 10;

export function explainText(
  { topic, problem, interest, out, in: into }: ExplainAnswer,
  columns: number,
  paint: Paint,
): string[] {
  const lines = wrap(`Topic ${quoted(topic)}${problem === null ? "" : `: ${printable(problem)}`}`, columns).map(
    (line) => paint("bold", line),
  );
  lines.push("", "Who wants it here:");
  if (interest.count === 0) lines.push("  nobody, as far as is known");
  for (const { filter, clients } of interest.filters.slice(0, FILTERS_SHOWN))
    lines.push(`  ${printable(filter)}, held by ${clients === 1 ? "1 client" : `${grouped(clients)} clients`}`);
  const more = interest.count - Math.min(interest.filters.length, FILTERS_SHOWN);
  if (more > 0) lines.push(`  and ${grouped(more)} more filters`);
  if (!interest.exact) lines.push(`  not every subscription is known (${interest.reason ?? "no reason"})`);
  if (interest.cut) lines.push("  there are more filters than one request looks through");
  lines.push(
    "",
    "Published here, it goes to:",
    ...out.flatMap((each) => verdict(each, each.verdict === "sent", columns, paint)),
  );
  lines.push(
    "",
    "Published there, it comes here from:",
    ...into.flatMap((each) => verdict(each, each.verdict === "wanted", columns, paint)),
  );
  return lines;
}

function verdict(
  { link, code, text, route }: OutAnswer | InAnswer,
  yes: boolean,
  columns: number,
  paint: Paint,
): string[] {
  const by = route === null ? "" : ` Route: ${printable(route)}`;
  const [first = "", ...rest] = wrap(`${printable(link)}: ${text}${by} (${code})`, columns - 7);
  return [`  ${yes ? paint("good", "yes") : paint("dim", "no ")}  ${first}`, ...rest.map((line) => `       ${line}`)];
}
