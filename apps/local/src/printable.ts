/** Control and format characters, lone surrogates, private and unassigned ones: none may reach a terminal. */
const NOT_PRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** One line of text that is safe in a terminal; what cannot be shown is a dot. Cut to `maxChars`, with an ellipsis. */
export function toPrintable(text: string, maxChars: number): string {
  const shown = text.replace(NOT_PRINTABLE, '·');
  // By code points, of which a character outside the basic plane is one but takes two units.
  const cut = Array.from(shown.slice(0, maxChars * 2))
    .slice(0, maxChars)
    .join('');
  return cut.length < shown.length ? `${cut}…` : cut;
}
