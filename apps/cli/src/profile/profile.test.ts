import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseProfiles } from './profile-file.ts';
import { profilePath } from './profile-path.ts';
import { resolveTarget } from './resolve-target.ts';

let home: string;
let env: NodeJS.ProcessEnv;
let path: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'asyncfn-profile-'));
  env = { XDG_CONFIG_HOME: home };
  path = profilePath(env);
  await mkdir(join(home, 'asyncfn'));
});
afterEach(() => rm(home, { recursive: true }));

async function write(text: string): Promise<void> {
  await writeFile(path, text, { mode: 0o600 });
}

const file = `
default: work
profiles:
  work: { url: https://calls.test, token: of-work }
  files: { url: http://files.test/base, tokenFile: token.txt }
`;

test('without options, variables and profile it is the gateway of this machine', async () => {
  expect(await resolveTarget({}, env)).toEqual({ url: 'http://127.0.0.1:8080', token: undefined, warnings: [] });
});

test('options come before variables, and these before the profile', async () => {
  await write(file);
  expect(await resolveTarget({}, env)).toMatchObject({ url: 'https://calls.test', token: 'of-work' });
  const inEnvironment = { ...env, ASYNCFN_URL: 'http://env.test', ASYNCFN_TOKEN: 'of-env' };
  expect(await resolveTarget({}, inEnvironment)).toMatchObject({ url: 'http://env.test', token: 'of-env' });
  expect(await resolveTarget({ url: 'http://flag.test' }, inEnvironment)).toMatchObject({ url: 'http://flag.test' });
  await writeFile(join(home, 'asyncfn/token.txt'), 'of-file\n', { mode: 0o600 });
  const ofFile = { url: 'http://files.test/base', token: 'of-file', warnings: [] };
  expect(await resolveTarget({ profile: 'files' }, env)).toEqual(ofFile);
  expect(await resolveTarget({}, { ...env, ASYNCFN_PROFILE: 'files' })).toEqual(ofFile);
});

test('the token of a profile goes to its own gateway alone', async () => {
  await write(file);
  expect(await resolveTarget({ url: 'https://elsewhere.test' }, env)).toMatchObject({ token: undefined });
  expect(await resolveTarget({ url: 'https://calls.test/base' }, env)).toMatchObject({ token: 'of-work' });
});

test('a file with a token that others may read is warned of', async () => {
  await write(file);
  await chmod(path, 0o644);
  expect((await resolveTarget({}, env)).warnings).toEqual([expect.stringContaining(`chmod 600 ${path}`)]);
});

test('profiles and URLs that do not exist are refused, and the message names what does', async () => {
  await expect(resolveTarget({ profile: 'work' }, env)).rejects.toThrow(`${path} does not exist`);
  await write(file);
  await expect(resolveTarget({ profile: 'wrok' }, env)).rejects.toThrow('it has: work, files');
  await expect(resolveTarget({ profile: 'files' }, env)).rejects.toThrow('token.txt does not exist');
  await expect(resolveTarget({ url: 'calls.test' }, env)).rejects.toThrow('--url: "calls.test" is no http');
  await expect(resolveTarget({}, { ...env, ASYNCFN_URL: 'ftp://x' })).rejects.toThrow('ASYNCFN_URL: "ftp://x"');
});

test('every mistake in a profile file is reported with its line, and no value', () => {
  const text =
    'default: nobody\nprofiles:\n  a: { url: "" }\n  b: { token: hunter2 }\n  c: { url: x, tokn: hunter2 }\n';
  const parsed = parseProfiles(text, 'config.yaml');
  expect(parsed.kind === 'refused' && parsed.problems).toEqual([
    expect.stringMatching(/^config\.yaml:3: profiles\.a\.url must be the URL of a gateway/),
    expect.stringMatching(/^config\.yaml:4: profiles\.b\.url is missing; must be the URL/),
    'config.yaml:5: profiles.c.tokn is not a known setting',
  ]);
  expect(JSON.stringify(parsed)).not.toContain('hunter2');
  const content = parseProfiles('default: x\nprofiles:\n  a: { url: u, token: t, tokenFile: f }\n', 'c');
  expect(content.kind === 'refused' && content.problems).toEqual([
    'c:1: default is the name of no profile below',
    'c:3: profiles.a.tokenFile does not go with token: keep one of them',
  ]);
  expect(parseProfiles('profiles: [', 'c')).toMatchObject({ kind: 'refused' });
});
