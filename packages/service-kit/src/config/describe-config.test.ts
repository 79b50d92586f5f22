import { expect, test } from 'vitest';
import { choice, duration, durationList, listOf, text } from './config-fields.ts';
import { describeConfig } from './describe-config.ts';
import { textType } from './value-types.ts';

test('a schema becomes a Markdown table with the values of each variable, its default and its meaning', () => {
  const schema = {
    level: choice({ env: 'LEVEL', values: ['a', 'b'], default: 'a', doc: 'Either `a|b`.' }),
    waitMs: duration({ env: 'WAIT', default: 90_000, doc: 'How long.' }),
    token: text({ env: 'TOKEN', secret: true, default: 'hunter2', doc: 'Who.' }),
    waitsMs: durationList({ env: 'WAITS', default: [5_000, 90_000], doc: 'How long each time.' }),
    files: listOf(textType(), { env: 'FILES', secret: true, default: [], doc: 'Which.' }),
    file: text({ env: 'FILE', doc: 'Where.' }),
  };
  expect(describeConfig(schema)).toBe(`| variable | value | default | meaning |
|---|---|---|---|
| \`LEVEL\` | one of a, b | \`a\` | Either \`a\\|b\`. |
| \`WAIT\` | a duration | \`1m30s\` | How long. |
| \`TOKEN\` | a text | (secret) | Who. |
| \`WAITS\` | a comma-separated list, each item a duration | \`5s,1m30s\` | How long each time. |
| \`FILES\` | a comma-separated list, each item a text |  | Which. |
| \`FILE\` | a text |  | Where. |
`);
});
