/** `text` as exactly `width` characters: filled up, or cut with an ellipsis. */
export function fit(text: string, width: number, filling = " "): string {
  const characters = [...text];
  if (characters.length <= width) return text + filling.repeat(width - characters.length);
  return width === 0 ? "" : `${characters.slice(0, width - 1).join("")}…`;
}
