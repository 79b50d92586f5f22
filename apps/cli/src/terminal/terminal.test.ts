import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { formatAge, formatUntil } from './quantities.ts';
import { showBody } from './show-body.ts';
import { renderFacts, renderTable } from './table.ts';
import { Terminal } from './terminal.ts';

/** A terminal whose output a test can read. */
function recording({
  isTTY = false,
  columns = 80,
  env = {},
}: {
  isTTY?: boolean;
  columns?: number;
  env?: NodeJS.ProcessEnv;
} = {}) {
  const written: Buffer[] = [];
  const said: string[] = [];
  const terminal = new Terminal({
    stdout: { isTTY, columns, write: (chunk) => written.push(Buffer.from(chunk as string)) },
    stderr: { isTTY, write: (chunk) => said.push(String(chunk)) },
    env,
  });
  return { terminal, said, text: () => Buffer.concat(written).toString() };
}

const hostile = 'a\x1b[2Jb\x9bc\u202ed\r\n';

test('a table fits the terminal: flexible columns are cut, the widest first, and others never', () => {
  const rows = [{ id: '0198d3a0-7c1e', why: 'a long reason that goes on', label: 'order=4711', none: undefined }];
  const columns = [
    { title: 'id', of: (row: (typeof rows)[0]) => row.id },
    { title: 'why', of: (row: (typeof rows)[0]) => row.why, isFlexible: true },
    { title: 'label', of: (row: (typeof rows)[0]) => row.label, isFlexible: true },
    { title: 'none', of: (row: (typeof rows)[0]) => row.none },
  ];
  expect(renderTable(rows, columns)).toEqual([
    'id             why                         label',
    '0198d3a0-7c1e  a long reason that goes on  order=4711',
  ]);
  expect(renderTable(rows, columns, 40)).toEqual([
    'id             why            label',
    '0198d3a0-7c1e  a long reaso…  order=4711',
  ]);
  expect(renderTable(rows, columns, 10)[1]).toBe('0198d3a0-7c1e  a long …  order=4…');
});

test('what strangers choose never reaches a terminal as control characters', async () => {
  const lines = [...renderTable([hostile], [{ title: 'x', of: (row) => row }]), ...renderFacts([['x', hostile]])];
  const { terminal, text } = recording({ isTTY: true });
  await showBody(terminal, 'c-1', Buffer.from(hostile), undefined);
  for (const shown of [...lines, text().replace(/\n$/, '')]) {
    expect(shown).not.toMatch(/[^\n\P{C}]/u);
  }
  expect(lines[1]).toBe('a\\x1b[2Jb\\x9bc\\u{202e}d\\r\\n');
  expect(text()).toBe('a\\x1b[2Jb\\x9bc\\u{202e}d\\r\n');
  const json = recording();
  json.terminal.printJson({ hostile });
  expect(json.text().trimEnd()).not.toMatch(/\p{Cc}/u);
  expect(JSON.parse(json.text())).toEqual({ hostile });
});

test('a body that is not text goes to a pipe and a file as it is, and to no terminal', async () => {
  const body = Buffer.from([0xff, 0x00, 0x1b]);
  const pipe = recording();
  await showBody(pipe.terminal, 'c-1', body, undefined);
  expect(pipe.text()).toBe(body.toString());
  const { terminal } = recording({ isTTY: true });
  await expect(showBody(terminal, 'c-1', body, undefined)).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringContaining('asyncfn result c-1 -o FILE'),
  });
  const folder = await mkdtemp(join(tmpdir(), 'asyncfn-cli-'));
  await showBody(terminal, 'c-1', body, join(folder, 'body'));
  expect(await readFile(join(folder, 'body'))).toEqual(body);
  await expect(showBody(terminal, 'c-1', body, folder)).rejects.toMatchObject({ exitCode: 2 });
  await rm(folder, { recursive: true });
});

test('colours are for terminals without NO_COLOR, hints for people', () => {
  const cases = [
    [recording({ isTTY: true }), true],
    [recording({ isTTY: true, env: { NO_COLOR: '1' } }), false],
    [recording({ isTTY: true, env: { TERM: 'dumb' } }), false],
    [recording(), false],
  ] as const;
  for (const [{ terminal }, isPainted] of cases) {
    expect(terminal.paint('red', 'x') !== 'x').toBe(isPainted);
  }
  const { terminal, said } = recording();
  terminal.hint('nobody sees this');
  terminal.say('everybody does');
  expect(said).toEqual(['everybody does\n']);
});

test.each([
  [500, '0s ago', 'in 1s'],
  [90_000, '1m ago', 'in 2m'],
  [3 * 86_400_000, '3d ago', 'in 3d'],
])('a time %i ms ago is %s, and one so far ahead is %s', (ms, text, ahead) => {
  const now = Date.UTC(2030, 0, 31);
  const time = new Date(now - ms).toISOString();
  expect(formatAge(time, now)).toBe(text);
  expect(formatUntil(time, now)).toBe(text);
  expect(formatUntil(new Date(now + ms).toISOString(), now)).toBe(ahead);
});
