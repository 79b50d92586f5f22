import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { builtMain, cleanEnv, runCommand } from './command.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'asyncfn-cli-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

test('verify names the line of each mistake, and ends with 1', async () => {
  const good = await file('good.yaml', `functions:\n  a: { url: "http://\${HOST_OF_A}" }\n`);
  const bad = await file('bad.yaml', 'functions:\n  a: { url: nowhere }\n  b: { url: http://b.test, tiemout: 1s }\n');
  const env = { HOST_OF_A: 'a.test' };
  expect(await runCommand(['verify', good], { env })).toMatchObject({ code: 0, stdout: `ok ${good}: 1 function\n` });
  const ran = await runCommand(['verify', good, bad], { env });
  expect(ran.code).toBe(1);
  expect(ran.stdout).toMatch(/bad\.yaml:2: functions\.a\.url .*\n.*bad\.yaml:3: functions\.b\.tiemout is not a known/);
  const json = await runCommand(['verify', good, bad, '--json'], { env });
  expect(
    json.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual([
    { file: good, valid: true, problems: [] },
    { file: bad, valid: false, problems: [expect.stringContaining(':2:'), expect.stringContaining(':3:')] },
  ]);
  expect(await runCommand(['verify', 'nowhere.yaml'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('ENOENT'),
  });
});

test('verify checks the calls of schedules and the secrets of webhooks, as a gateway does when it starts', async () => {
  const path = await file(
    'more.yaml',
    `functions:
  a: { url: http://a.test, webhook: { verify: github, secretFiles: [nowhere] } }
schedules:
  nightly: { function: a, every: 1h, headers: { X-Timeout: soon } }
`,
  );
  const ran = await runCommand(['verify', path]);
  expect(ran).toMatchObject({ code: 1, stderr: expect.stringContaining('2 mistakes') });
  expect(ran.stdout).toMatch(/more\.yaml:2: functions\.a\.webhook\.secretFiles\.0 nowhere cannot be read: ENOENT/);
  expect(ran.stdout).toMatch(/more\.yaml:4: schedules\.nightly\.headers\.X-Timeout is refused: X-Timeout /);
});

test('a token and its entry are made, and the entry is valid', async () => {
  const made = await runCommand([
    'token',
    'create',
    'web',
    '--scope',
    'invoke',
    '--scope',
    'read',
    '--function',
    'pdf-*',
  ]);
  expect(made.code).toBe(0);
  expect(made.stdout).toMatch(/^The token, shown only once:\n\nasyncfn_[\w-]{43}\n/);
  const tokens = await file('tokens.yaml', `tokens:\n${made.stdout.split('AUTH_TOKENS_FILE:\n\n')[1]}`);
  expect(await runCommand(['verify', '--tokens', tokens])).toMatchObject({
    code: 0,
    stdout: `ok ${tokens}: 1 token\n`,
  });
  const refused = await runCommand(['token', 'create', 'web', '--scope', 'root']);
  expect(refused).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('must be one or more of invoke, read, admin'),
  });
});

test.each([
  [['cal'], "unknown command 'cal'\n(Did you mean call?)"],
  [['call'], "missing required argument 'name'\nSee asyncfn call --help"],
  [['call', 'x', '--wiat'], '(Did you mean --wait?)'],
  [['call', 'x', '--max-retries', '-1'], 'from 0 to 1000'],
  [['call', 'x', '--delay', 'soon'], 'It is not a duration: write 10s, 5m or 2h.'],
  [['call', 'x', '-d', '@nowhere'], '-d @nowhere: the file cannot be read'],
  [['get', 'x', '--profile', 'work'], 'there is no profile "work"'],
])('asyncfn %j is a usage error: 2', async (args, message) => {
  expect(await runCommand(args)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(message) });
});

test('every command has help with examples, and the version is told', async () => {
  expect((await runCommand(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  const { stdout } = await runCommand(['--help']);
  const names = [...stdout.matchAll(/^ {2}([a-z][a-z-]*)(?= .*\S$)/gm)].map(([, name = '']) => name);
  expect(names.length).toBeGreaterThan(7);
  for (const name of names.filter((one) => one !== 'asyncfn')) {
    const help = await runCommand([name, '--help']);
    expect([name, help.code]).toEqual([name, 0]);
    expect([name, /Examples:|Commands:/.test(help.stdout)]).toEqual([name, true]);
  }
});

test('bash completes commands and options by the script', async () => {
  const bin = await file('asyncfn', `#!/bin/sh\nexec "${process.execPath}" "${builtMain}" "$@"\n`);
  await chmod(bin, 0o755);
  const script = await file('completion.bash', (await runCommand(['completion', 'bash'])).stdout);
  const complete = async (line: string) => {
    const words = line.split(' ');
    const press = `source ${script}; COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')})
      COMP_CWORD=${words.length - 1}; _asyncfn; printf '%s\\n' "\${COMPREPLY[@]}"; complete -p asyncfn`;
    const env = cleanEnv({ PATH: `${folder}:${process.env['PATH']}`, ASYNCFN_URL: 'http://127.0.0.1:9' });
    const { stdout } = await promisify(execFile)('bash', ['--norc', '-c', press], { env });
    return stdout.trim().split('\n');
  };
  const registered = 'complete -o default -F _asyncfn asyncfn';
  expect(await complete('asyncfn ver')).toEqual(['verify', registered]);
  expect(await complete('asyncfn call --callb')).toEqual(['--callback-url', registered]);
  expect(await complete('asyncfn completion ')).toEqual(['bash', 'zsh', 'fish', registered]);
  expect(await complete('asyncfn verify ')).toEqual([registered]);
});

test('a reader that has enough ends the command quietly', async () => {
  const line = `"${process.execPath}" "${builtMain}" call --help | head -n 1`;
  const { stdout, stderr } = await promisify(execFile)('bash', ['-o', 'pipefail', '-c', line]);
  expect({ stdout, stderr }).toEqual({ stdout: 'Usage: asyncfn call [options] <name>\n', stderr: '' });
});
