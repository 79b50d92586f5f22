import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { spawnGuarded } from '@asyncfn/guarded-process';
import { eventually } from '@asyncfn/testkit';

export interface RedisServer extends AsyncDisposable {
  readonly pid: number;
  /** The folder with its files. Disposing the server removes it. */
  readonly folder: string;
  /** Path of its socket. */
  readonly socket: string;
  /** Removes all data. */
  flush(): Promise<void>;
}

/** Why no redis-server can run, and what would help; undefined if one can. */
export async function redisAbsence(): Promise<string | undefined> {
  try {
    await promisify(execFile)('redis-server', ['--version']);
    return undefined;
  } catch {
    return 'no redis-server on the PATH (Debian: apt-get install redis-server)';
  }
}

/** Runs the `redis-server` of the PATH. It appends every write to a file and syncs the file every second. */
export async function startRedisServer(): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'asyncfn-redis-'));
  const socket = join(folder, 'redis.sock');
  const settings = ['--port', '0', '--unixsocket', socket, '--dir', folder, '--save', ''];
  const durable = ['--appendonly', 'yes', '--appendfsync', 'everysec'];
  const child = await spawnGuarded('redis-server', [...settings, ...durable]);
  await eventually(() => command(socket, 'PING').then((answer) => answer === '+PONG'));
  return {
    pid: child.pid,
    folder,
    socket,
    async flush() {
      await command(socket, 'FLUSHALL');
    },
    async [Symbol.asyncDispose]() {
      await child.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Sends one line of redis's protocol and returns the first line of the answer; empty if no server listens yet. */
async function command(path: string, line: string): Promise<string> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    socket.write(`${line}\r\n`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    return answer.toString().split('\r\n')[0] ?? '';
  } catch {
    return '';
  } finally {
    socket.destroy();
  }
}
