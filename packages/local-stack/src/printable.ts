/** Control and format characters, lone surrogates, private and unassigned ones: none may reach a terminal. */
const NOT_PRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** One line of text that is safe in a terminal; other characters become dots. Cut to `maxChars`, with an ellipsis. */
export function toPrintable(text: string, maxChars: number): string {
  const shown = text.replace(NOT_PRINTABLE, '·');
  // By code points: a character outside the basic plane is one code point, but two units.
  const cut = Array.from(shown.slice(0, maxChars * 2))
    .slice(0, maxChars)
    .join('');
  return cut.length < shown.length ? `${cut}…` : cut;
}
