/** Control and format characters, lone surrogates, private and unassigned ones: a terminal may obey or hide them. */
const notPrintable = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** One line of text that is safe in a terminal: characters that are not printable become escapes such as `\x1b`. */
export function toPrintable(text: string): string {
  return text.replace(notPrintable, escapeOf);
}

/** The same for text of several lines: line feeds and tabs stay. */
export function toPrintableText(text: string): string {
  return text.replace(notPrintable, (character) => (/[\n\t]/.test(character) ? character : escapeOf(character)));
}

function escapeOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const short = { 9: '\\t', 10: '\\n', 13: '\\r' }[code];
  return short ?? (code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`);
}
