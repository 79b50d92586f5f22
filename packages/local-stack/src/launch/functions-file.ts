import { writeFile } from 'node:fs/promises';
import { SAMPLE_FUNCTIONS } from '../samples/index.ts';

/**
 * A functions file that names the sample functions.
 * @param samplesUrl their base URL, without a slash at the end
 */
export function renderFunctionsFile(samplesUrl: string): string {
  const entries = SAMPLE_FUNCTIONS.map((name) => `  ${name}:\n    url: ${samplesUrl}/${name}\n`);
  return [
    '# Written at each start; changes are lost. For functions of your own set FUNCTIONS_FILE to a file like this one.\n',
    'functions:\n',
    ...entries,
    '# A call of order-placed is a call of each of them: see docs/batches.md.\n',
    'groups:\n  order-placed: [echo, hash, sleep]\n',
  ].join('');
}

export async function writeFunctionsFile(path: string, samplesUrl: string): Promise<void> {
  await writeFile(path, renderFunctionsFile(samplesUrl));
}
