import { writeFile } from 'node:fs/promises';
import { CliError, exitCodes, usageError } from '../failure/index.ts';
import { toPrintableText } from './printable.ts';
import type { Terminal } from './terminal.ts';

/**
 * Writes a body to a file or to stdout. A file and a pipe get the bytes as they are. A terminal gets text whose control
 * characters are escaped; anything that is not text is refused.
 *
 * @param callId the call that it belongs to, for advice
 * @param file path; undefined for stdout
 */
export async function showBody(
  terminal: Terminal,
  callId: string,
  body: Uint8Array,
  file: string | undefined,
): Promise<void> {
  if (file !== undefined) {
    await writeBody(file, body);
    terminal.hint(`${body.length} bytes written to ${file}`);
    return;
  }
  if (!terminal.isTerminal) {
    terminal.write(body);
    return;
  }
  const text = toText(body);
  if (text === undefined) {
    const problem = `the body is ${body.length} bytes that are not text, which a terminal cannot show`;
    throw new CliError(exitCodes.usage, `${problem}: asyncfn result ${callId} -o FILE`);
  }
  if (text !== '') {
    terminal.write(text.endsWith('\n') ? text : `${text}\n`);
  }
}

async function writeBody(file: string, body: Uint8Array): Promise<void> {
  try {
    await writeFile(file, body);
  } catch (error) {
    throw usageError(`-o ${file}: cannot be written: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Undefined if it is not UTF-8, or has a NUL, which no text has. */
function toText(body: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body);
    return text.includes('\0') ? undefined : toPrintableText(text);
  } catch {
    return undefined;
  }
}
