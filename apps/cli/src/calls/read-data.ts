import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { usageError } from '../failure/index.ts';
import type { Session } from '../session.ts';

/** The body that `--data` names: text as it is, `@FILE`, or `-` for stdin. Undefined without the option. */
export async function readData(session: Session, data: string | undefined): Promise<string | Uint8Array | undefined> {
  if (data === '-') {
    const { stdin } = session.process;
    if (stdin.isTTY) {
      session.terminal.hint('reading the body from the terminal; Ctrl-D ends it');
    }
    return await buffer(stdin);
  }
  if (data?.startsWith('@') !== true) {
    return data;
  }
  const path = data.slice(1);
  try {
    return await readFile(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw usageError(`-d ${data}: the file cannot be read: ${reason}`);
  }
}
