import { api, read } from '../api/index.ts';
import { Live } from '../live/index.ts';
import type { Letter } from './group-letters.ts';

/** More dead letters are not read: the page's memory is bounded. Those that are not read are said to be there. */
const most = 5_000;
const pageSize = 1_000;

export interface Letters {
  /** The oldest ones. */
  readonly letters: readonly Letter[];
  /** Whether there are further ones. */
  readonly more: boolean;
}

export const liveLetters = new Live(readLetters, { everyMs: 4_000 });

async function readLetters(signal: AbortSignal): Promise<Letters> {
  const letters: Letter[] = [];
  let cursor: string | undefined;
  do {
    const query = { limit: pageSize, ...(cursor !== undefined && { cursor }) };
    const page = await read(api.GET('/system/dead-letters', { params: { query }, signal }));
    letters.push(...page.deadLetters);
    cursor = page.cursor;
  } while (cursor !== undefined && letters.length < most);
  return { letters, more: cursor !== undefined };
}
