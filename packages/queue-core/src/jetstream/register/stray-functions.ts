import { parseFunctionName } from '../../call/index.ts';
import { changedSettings, type StrayFunction } from '../../functions/index.ts';
import type { QueueLogger } from '../connecting/index.ts';
import type { FunctionBucket } from './function-bucket.ts';

/**
 * Moves a function that is in the register under a second name to its short name, which all processes use. If that name
 * has an entry already, that entry wins. Several processes may do this at the same time: the first one does it, and the
 * others find it done. Throws `QueueError`.
 */
export async function adoptStray(bucket: FunctionBucket, stray: StrayFunction, logger: QueueLogger): Promise<void> {
  const { name, oneName, entry, revision } = stray;
  const there = await bucket.read(oneName);
  if (there?.content === 'unreadable') {
    return; // written by a later version
  }
  const holds = typeof there?.content === 'object' ? there.content : undefined;
  // For processes that leave out nothing by themselves: calls wait under the second name as well.
  const defaultNamespace = parseFunctionName(name)?.namespace;
  const settings = { ...entry.settings, ...(defaultNamespace !== undefined && { defaultNamespace }) };
  if (holds === undefined) {
    const written = await bucket.write(oneName, { ...entry, settings }, there?.revision ?? 0);
    if (written === 'conflict') {
      return;
    }
  }
  if ((await bucket.remove(name, revision)) === 'conflict') {
    return;
  }
  if (holds === undefined) {
    logger.info(
      { function: oneName, formerly: name },
      'a function was moved to its name without the default namespace',
    );
  } else {
    const fields = { function: oneName, dropped: name, settings: changedSettings(holds.settings, settings) };
    logger.warn(fields, 'two functions are one by the default namespace, and the settings of one of them are dropped');
  }
}
