import { text } from 'node:stream/consumers';
import { Command, Option } from 'commander';
import { usageError } from '../failure/index.ts';
import { collect, type JsonChoice, jsonOption } from '../options/index.ts';
import type { Session } from '../session.ts';

interface TokenFlags extends JsonChoice {
  readonly scope: readonly string[];
  readonly function?: readonly string[];
  readonly rate?: string;
  readonly expires?: string;
  readonly callbackSecretFile?: string;
  readonly fromStdin?: true;
}

const examples = `
Examples:
  asyncfn token create web --scope invoke --scope read
  asyncfn token create reports --scope invoke --function 'pdf-*' --rate 100/1s --expires 2030-01-31T00:00:00Z

The token is shown only once. Its entry goes below "tokens:" in AUTH_TOKENS_FILE, which holds a hash of it.`;

/** `asyncfn token create NAME` */
export function tokenCommand(session: Session): Command {
  const create = new Command('create')
    .summary('make a token and its entry for the tokens file')
    .description('Make a token for a caller, and its entry for the tokens file of gateways.')
    .argument('<name>', 'name of the token, in logs and as the submitter of calls')
    .addOption(
      new Option('--scope <scope>', 'what it may be used for: invoke, read or admin; repeatable')
        .argParser(collect)
        .makeOptionMandatory(),
    )
    .option('--function <pattern>', 'a function that it is for, with * for any characters; repeatable', collect)
    .option('--rate <rate>', 'how many requests it may make: 100/1s')
    .option('--expires <time>', 'until when it is valid: 2030-01-31T00:00:00Z')
    .option('--callback-secret-file <path>', 'secrets that sign the callbacks of its calls, instead of the common ones')
    .option('--from-stdin', 'read an existing secret, such as the password of an OpenFaaS gateway')
    .addHelpText('after', examples)
    .action(async (name: string, flags: TokenFlags) => createOne(session, name, flags));
  return new Command('token')
    .summary('make tokens for callers')
    .description('Make tokens for the callers of a gateway.')
    .addCommand(jsonOption(create));
}

async function createOne({ process, terminal }: Session, name: string, flags: TokenFlags): Promise<void> {
  const { createToken, writeTokenEntry } = await import('@asyncfn/tokens');
  const secret = flags.fromStdin ? (await text(process.stdin)).trim() : createToken();
  const { scope: scopes, function: functions, rate: rateLimit, expires, callbackSecretFile } = flags;
  const entry = writeTokenEntry(name, { scopes, functions, rateLimit, expires, callbackSecretFile }, secret);
  if (entry.kind === 'refused') {
    throw usageError(entry.problems.join('\n'));
  }
  if (flags.json) {
    terminal.printJson({ name, ...(flags.fromStdin ? {} : { token: secret }), entry: entry.text });
    return;
  }
  const shown = flags.fromStdin ? '' : `The token, shown only once:\n\n${secret}\n\n`;
  terminal.write(`${shown}Its entry, below "tokens:" in AUTH_TOKENS_FILE:\n\n${entry.text}`);
}
