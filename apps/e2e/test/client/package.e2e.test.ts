import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PackedPackage } from '../harness/packages/packed-package.ts';

const run = promisify(execFile);
const modules = fileURLToPath(new URL('../../node_modules', import.meta.url));
let packed: PackedPackage;
let manifest: Record<string, unknown>;

beforeAll(async () => {
  packed = await PackedPackage.install('packages/client');
  const path = join(packed.folder, 'node_modules/@asyncfn/client/package.json');
  manifest = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
});

afterAll(() => packed[Symbol.asyncDispose]());

test('the package has what is built, README, LICENSE and nothing else', async () => {
  const files = await packed.files();
  const others = files.filter((path) => !/^dist\/([a-z-]+\/)?[a-z-]+(\.d\.ts|\.js)$/.test(path));
  expect(others).toEqual(['LICENSE', 'README.md', 'package.json']);
  expect(files).toContain('dist/index.d.ts');
});

test('the package needs no other, and says what registries want to know', () => {
  expect(manifest).toMatchObject({
    license: 'MIT',
    engines: { node: '>=20.18' },
    repository: { type: 'git', directory: 'packages/client' },
    publishConfig: { access: 'public', provenance: true },
    sideEffects: false,
  });
  expect(manifest).not.toHaveProperty('dependencies');
  expect(manifest).not.toHaveProperty('private');
  expect(JSON.stringify(manifest)).not.toMatch(/workspace:|catalog:|@asyncfn\/source/);
});

test('publint and arethetypeswrong find no fault', async () => {
  expect(await packed.problems()).toEqual([]);
});

test('its modules import nothing but each other', async () => {
  const imports: string[] = [];
  for (const file of (await packed.files()).filter((path) => path.startsWith('dist/'))) {
    const text = await readFile(join(packed.folder, 'node_modules/@asyncfn/client', file), 'utf8');
    imports.push(...Array.from(text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g), ([, name = '']) => name));
  }
  expect(imports.length).toBeGreaterThan(50);
  expect(imports.filter((name) => !name.startsWith('.'))).toEqual([]);
});

test('plain JavaScript imports it from an empty folder', async () => {
  await packed.write({
    'run.js': `import { AsyncfnClient, verifyCallback } from '@asyncfn/client';
      const headers = {
        'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
        'webhook-timestamp': '1614265330',
        'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
      };
      const options = { secrets: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', now: () => 1614265330_000 };
      console.log((await verifyCallback({ headers, body: '{"test": 2432232314}' }, options)).id);
      const client = new AsyncfnClient({ url: 'http://127.0.0.1:1', retry: { attempts: 0 } });
      console.log(await client.call('hash', 'x').catch((error) => error.code));`,
  });
  expect(await packed.run('run.js')).toBe('msg_p5jXN8AQM9LWM0D4loKWxJek\nunreachable\n');
});

const program = `import { AsyncfnClient, type CallState, hasEnded, ProblemError, verifyCallback } from '@asyncfn/client';
  const client = new AsyncfnClient({ url: new URL('http://localhost'), token: async () => 'x' });
  export async function work(signal: AbortSignal): Promise<CallState['status']> {
    const { callId } = await client.call('hash', { a: [1, null] }, { delay: '10m', labels: ['a'], signal });
    for await (const event of client.events({ signal })) {
      const missed: number | null = event.type === 'missed' ? event.missed : event.call.attempts;
      console.log(missed);
    }
    const state = await client.wait(callId, { timeoutMs: 1_000 });
    console.log(hasEnded(state), (await client.result(callId)).json<{ a: number }>().a);
    // @ts-expect-error there is no such option
    await client.call('hash', '', { dealy: 1 });
    // @ts-expect-error a function is no body
    await client.call('hash', () => 1);
    return state.status;
  }
  export async function receive(request: Request): Promise<string> {
    const { headers } = request;
    const callback = await verifyCallback({ headers, body: await request.arrayBuffer() }, { secrets: ['a'] });
    return callback.text();
  }
  export const codeOf = (error: unknown): string => (error instanceof ProblemError ? error.code : '');
`;

test.each([
  ['Node', { module: 'NodeNext', lib: ['ES2023'], types: ['node'], typeRoots: [join(modules, '@types')] }],
  ['browsers', { module: 'ESNext', moduleResolution: 'Bundler', lib: ['ES2023', 'DOM', 'DOM.Iterable'], types: [] }],
])('TypeScript checks a program for %s, and its declarations', async (_, compilerOptions) => {
  const options = {
    target: 'ES2022',
    noEmit: true,
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
  };
  await packed.write({
    'program.ts': program,
    'tsconfig.json': JSON.stringify({ compilerOptions: { ...options, ...compilerOptions }, files: ['program.ts'] }),
  });
  const tsc = join(modules, 'typescript/bin/tsc');
  const checked = await run(process.execPath, [tsc, '-p', packed.folder]).catch((error: { stdout: string }) => error);
  expect(checked.stdout).toBe('');
});
