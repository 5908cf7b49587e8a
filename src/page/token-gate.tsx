/** Asks for the API's token. It stays in this tab. */
import type { JSX } from "preact";
import { useRef } from "preact/hooks";

interface Props {
  /** One was given, and refused. */
  readonly wrong: boolean;
  readonly onToken: (token: string) => void;
}

export function TokenGate({ wrong, onToken }: Props): JSX.Element {
  const input = useRef<HTMLInputElement>(null);
  const submit = (event: Event): void => {
    event.preventDefault();
    const token = input.current?.value.trim() ?? "";
    if (token !== "") onToken(token);
  };
  return (
    <main class="gate">
      <h1>brokerlink</h1>
      <form onSubmit={submit}>
        <label for="token">Token of the API (what is in the file that http.token_file names)</label>
        <input id="token" ref={input} type="password" autocomplete="off" required />
        {wrong ? <p role="alert">The agent refuses this token.</p> : null}
        <button type="submit" class="primary">
          Open
        </button>
      </form>
    </main>
  );
}
