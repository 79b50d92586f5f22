/**
 * A parent for the tests that kill or interrupt one:
 * `node guarding-parent.js <URL of the built package> <options as JSON> <command> [args...]`.
 * It repeats the child's lines, says its pid, passes SIGUSR2 on to it, and ends when nothing keeps it.
 */
import process from 'node:process';

const [packageUrl, options, command, ...args] = process.argv.slice(2).map(String);
/** @type {typeof import('../src/index.ts')} */
const { spawnGuarded } = await import(String(packageUrl));

/** @param {string} line */
const print = (line) => process.stdout.write(`${line}\n`);

const child = await spawnGuarded(String(command), args, { ...JSON.parse(String(options)), onLine: print });
process.on('SIGINT', () => print('parent: interrupted'));
process.on('SIGUSR2', () => child.signal('SIGUSR2'));
print(`child: ${child.pid}`);
await child.exited;
print('parent: done');
