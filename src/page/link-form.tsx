/** Adds a link or edits one. What the agent does not like is said under the fields, and the form stays as it is. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { fieldsOf, type LinkFields, type LinkValue, linkValue } from "./link-value.ts";
import { Modal } from "./modal.tsx";
import type { LinkAnswer } from "./overview.ts";

interface Props {
  /** null: a new one. */
  readonly link: LinkAnswer | null;
  readonly onClose: () => void;
  /** Rejects with what was wrong. */
  readonly onSave: (value: LinkValue) => Promise<void>;
}

export function LinkForm({ link, onClose, onSave }: Props): JSX.Element {
  // As it was when the form opened: what the stream brings meanwhile must not change what is being typed.
  const [fields, setFields] = useState<LinkFields>(() => fieldsOf(link));
  const [problem, setProblem] = useState<string | null>(null);
  const [saving, setSaving] = useState(false);
  const set = (change: Partial<LinkFields>): void => setFields({ ...fields, ...change });
  const text = (key: "name" | "server" | "topics" | "username" | "password") => ({
    id: `link-${key}`,
    value: fields[key],
    onInput: (event: { readonly currentTarget: HTMLInputElement | HTMLTextAreaElement }) =>
      set({ [key]: event.currentTarget.value }),
    spellcheck: false,
    autocomplete: "off" as const,
  });
  const submit = (event: Event): void => {
    event.preventDefault();
    setSaving(true);
    onSave(linkValue(fields, link)).catch((error: unknown) => {
      setSaving(false);
      setProblem(error instanceof Error ? error.message : String(error));
    });
  };
  const title = link === null ? "Add a link" : `Edit the link to ${link.name}`;
  return (
    <Modal label={title} onClose={onClose}>
      <h2>{title}</h2>
      <form onSubmit={submit}>
        <label for="link-name">Name of the peer's cluster</label>
        <input
          {...text("name")}
          type="text"
          required
          disabled={link !== null}
          pattern="[0-9A-Za-z][\-0-9A-Za-z_]*"
          maxlength={64}
        />
        <label for="link-server">Its broker, for example mqtts://broker.example:8883 (empty: the peer dials in)</label>
        <input {...text("server")} type="text" />
        <label for="link-topics">Topics to receive from it, one filter a line</label>
        <textarea {...text("topics")} rows={4} />
        <label for="link-username">User name there</label>
        <input {...text("username")} type="text" />
        <label for="link-password">Password there (****** keeps the one that is set)</label>
        <input {...text("password")} type="password" autocomplete="new-password" />
        <label class="check">
          <input
            type="checkbox"
            checked={fields.enable}
            onChange={(event) => set({ enable: event.currentTarget.checked })}
          />
          Enabled
        </label>
        {problem === null ? null : (
          <p class="problem" role="alert">
            {problem}
          </p>
        )}
        <div class="buttons">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="primary" disabled={saving}>
            {link === null ? "Add" : "Save"}
          </button>
        </div>
      </form>
    </Modal>
  );
}
