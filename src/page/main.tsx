/** The page: everything an operator wants to see of one agent, on one screen, moving live. */
import { render } from "preact";
import { AgentClient } from "./agent-client.ts";
import { App } from "./app.tsx";

const root = document.getElementById("app");
if (root !== null) {
  root.replaceChildren();
  render(<App client={new AgentClient()} />, root);
}
