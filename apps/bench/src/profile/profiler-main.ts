import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';

/**
 * Loaded into a process by `--import`: profiles it from its start, and writes the profile to
 * `<folder>/<pid>.cpuprofile` when it ends. `--cpu-prof` would do the same, but Node 20 does not take it from
 * `NODE_OPTIONS`.
 */
const { searchParams } = new URL(import.meta.url);
const file = `${searchParams.get('folder')}/${process.pid}.cpuprofile`;

const session = new Session();
session.connect();
session.post('Profiler.enable');
session.post('Profiler.setSamplingInterval', { interval: Number(searchParams.get('micros')) });
session.post('Profiler.start');
process.once('exit', () => {
  session.post('Profiler.stop', (_error, { profile }) => writeFileSync(file, JSON.stringify(profile)));
});
