/** "Really?", for what cannot be taken back. The safe answer has the focus. */
import type { JSX } from "preact";
import { Modal } from "./modal.tsx";

export interface Question {
  readonly title: string;
  readonly text: string;
  readonly yes: string;
  readonly act: () => void;
}

interface Props {
  readonly question: Question;
  readonly onClose: () => void;
}

export function ConfirmDialog({ question, onClose }: Props): JSX.Element {
  const accept = (): void => {
    onClose();
    question.act();
  };
  return (
    <Modal label={question.title} onClose={onClose}>
      <h2>{question.title}</h2>
      <p>{question.text}</p>
      <div class="buttons">
        <button type="button" onClick={onClose}>
          Cancel
        </button>
        <button type="button" class="danger" onClick={accept}>
          {question.yes}
        </button>
      </div>
    </Modal>
  );
}
