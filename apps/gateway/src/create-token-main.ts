import { text } from 'node:stream/consumers';
import { createToken, writeTokenEntry } from '@asyncfn/tokens';
import { parseTokenRequest, usage } from './auth/index.ts';

const EXIT_USAGE = 64;

process.exitCode = await main();

/** Prints a new token, once, and what to write down of it. */
async function main(): Promise<number> {
  const request = parseTokenRequest(process.argv.slice(2));
  if (request === undefined) {
    process.stderr.write(usage);
    return EXIT_USAGE;
  }
  const secret = request.fromStdin ? (await text(process.stdin)).trim() : createToken();
  const entry = writeTokenEntry(request.name, request.settings, secret);
  if (entry.kind === 'refused') {
    process.stderr.write(`${entry.problems.join('\n')}\n`);
    return EXIT_USAGE;
  }
  const token = request.fromStdin ? '' : `The token, shown only once:\n\n${secret}\n\n`;
  process.stdout.write(`${token}Its entry, below "tokens:" in AUTH_TOKENS_FILE:\n\n${entry.text}`);
  return 0;
}
