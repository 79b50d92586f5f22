import type { JetStreamManager } from '@nats-io/jetstream';

/** Ids of the calls in a queue, and of those that its idempotency keys name; each in alphabetical order. */
export async function storedIn(manager: JetStreamManager, queue: string): Promise<{ keys: string[]; calls: string[] }> {
  const stream = `CALLS_${queue}`;
  const { state } = await manager.streams.info(stream, { subjects_filter: `calls.${queue}.>` });
  const subjects = Object.keys(state.subjects ?? {});
  const keySubjects = subjects.filter((subject) => subject.startsWith(`calls.${queue}.key.`));
  const keys = await Promise.all(
    keySubjects.map(async (subject) => {
      const message = await manager.streams.getMessage(stream, { last_by_subj: subject });
      return (JSON.parse(message?.header.get('Asyncfn-Key') ?? '{}') as { callId?: string }).callId ?? '';
    }),
  );
  const calls = subjects
    .filter((subject) => !keySubjects.includes(subject))
    .map((subject) => subject.split('.').at(5) ?? '');
  return { keys: keys.sort(), calls: calls.sort() };
}
