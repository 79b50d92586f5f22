// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are what is tested
import { describe, expect, test } from 'vitest';
import { parseFunctionEntry, parseFunctions } from './functions-document.ts';

const environment: Record<string, string> = {
  GATEWAY_IP: '10.0.0.1',
  PORT: '31112',
  ATTEMPTS: '7',
  CAP: '5',
  NS: 'dev',
  PREFIX: 'team-a',
  PASSWORD: 'hunter2',
  WRONG: 'http://hunter2',
  SPACED: 'hunter2 x',
  EMPTY: '',
};
const variables = (name: string) => environment[name];

function definitionOf(text: string) {
  const parsed = parseFunctions(text, { variables });
  if (parsed.kind === 'refused') {
    throw new Error(JSON.stringify(parsed.problems));
  }
  return parsed.definition;
}

function problemsOf(text: string): string[] {
  const parsed = parseFunctions(text, { variables });
  return parsed.kind === 'refused' ? parsed.problems.map((p) => `${p.line}: ${p.path} ${p.problem}`) : [];
}

const unset = (name: string) =>
  `\${${name}} is not set in the environment; set it, or write a default: \${${name}:-value}`;

describe('in a stack file', () => {
  test('variables are filled in where they are read, and no others need be set', () => {
    const { functions } = definitionOf(`
version: \${VERSION}
provider:
  name: openfaas
  gateway: http://\${GATEWAY_IP}:\${PORT:-8080} # or \${GATEWAY}
functions:
  resize:
    lang: \${LANG_TEMPLATE}
    handler: ./\${HANDLER}
    image: \${DOCKER_USER}/resize:\${TAG:-latest}
    namespace: \${NS}
    environment: { token: "\${TOKEN}", "\${KEY}": 1 }
    labels: { "\${LABEL}": "\${LABEL}" }
    annotations:
      topic: \${TOPIC}
      com.openfaas.queue: \${QUEUE:-images}
      com.openfaas.retry.attempts: "\${ATTEMPTS}"
  \${PREFIX}-hash: { image: "\${DOCKER_USER}/hash" }
configuration: { templates: [{ name: "\${TEMPLATE}" }] }
`);
    expect([...functions.values()]).toMatchObject([
      { name: 'resize.dev', url: 'http://10.0.0.1:31112/function/resize.dev', queue: 'images', retry: { attempts: 7 } },
      { name: 'team-a-hash', url: 'http://10.0.0.1:31112/function/team-a-hash' },
    ]);
  });

  test('each variable that is read and not set is an error with its line, and the only one of its place', () => {
    expect(
      problemsOf(`provider:
  name: openfaas
  gateway: http://\${GATEWAY}:8080
functions:
  a:
    image: \${IMAGE}
    namespace: \${SPACE}
    annotations:
      com.openfaas.queue: \${QUEUE}
      com.openfaas.retry.codes: 429,\${CODE}
  \${NAME}: {}
  b: { concurrency: 0 }
defaults: { timeout: "\${TIME}" }
`),
    ).toEqual([
      `3: provider.gateway ${unset('GATEWAY')}`,
      `7: functions.a.namespace ${unset('SPACE')}`,
      `9: functions.a.annotations.com.openfaas.queue ${unset('QUEUE')}`,
      `10: functions.a.annotations.com.openfaas.retry.codes ${unset('CODE')}`,
      `11: functions.\${NAME} ${unset('NAME')}`,
      '12: functions.b.concurrency must be a whole number from 1 to 1000000',
      `13: defaults.timeout ${unset('TIME')}`,
    ]);
  });

  test('a whole gateway may be a variable, within braces of YAML as well', () => {
    const text = 'provider: { name: openfaas, gateway: ${OPENFAAS_URL:-http://gw:8080} }\nfunctions: { a: {} }';
    expect(definitionOf(text).functions.get('a')?.url).toBe('http://gw:8080/function/a');
  });
});

describe('in a functions file of ours', () => {
  test('variables are filled in everywhere, and become numbers if a number is required', () => {
    const { functions, fallback } = definitionOf(`
functions:
  a: { url: "http://\${GATEWAY_IP}:9000", concurrency: \${CAP}, retry: { attempts: \${ATTEMPTS}, minWait: \${WAIT:-1s} } }
defaults: { url: "http://\${GATEWAY_IP}\${EMPTY}/{name}" }
`);
    expect(functions.get('a')).toMatchObject({
      url: 'http://10.0.0.1:9000',
      concurrency: 5,
      retry: { attempts: 7, minWaitMs: 1000 },
    });
    expect(fallback?.('b').url).toBe('http://10.0.0.1/b');
  });

  test('each that is not set is an error with its line', () => {
    expect(problemsOf('functions:\n  a:\n    url: http://${HOST}\n    queue: ${QUEUE}\n')).toEqual([
      `3: functions.a.url ${unset('HOST')}`,
      `4: functions.a.queue ${unset('QUEUE')}`,
    ]);
  });

  test('text that is not a reference is reported as such, and $${ is ${', () => {
    expect(problemsOf('functions: { a: { url: "http://${HOST^^}" } }')).toEqual([
      expect.stringMatching(/^1: functions\.a\.url \$\{HOST\^\^\} cannot be filled in; write \$\{NAME\}/),
    ]);
    expect(problemsOf('functions: { a: { url: "http://$${HOST}" } }')).toEqual([
      expect.stringContaining(
        '"http://$${HOST}", with its variables filled in, holds a variable that is not filled in',
      ),
    ]);
  });
});

describe('no error shows the value of a variable', () => {
  test.each([
    ['a URL that comes out wrong', 'functions:\n  a: { url: "http://${WRONG}:80" }'],
    ['a URL with a password', 'functions:\n  a: { url: "http://u:${PASSWORD}@*:80" }'],
    ['a URL with a space', 'functions:\n  a: { url: "${SPACED}" }'],
    ['a queue', 'functions:\n  a: { url: "http://a", queue: "${SPACED}" }'],
    ['a name', 'functions:\n  "${SPACED}": { url: "http://a" }'],
    ['a name that comes twice', 'functions:\n  hunter2: { url: "http://a" }\n  "${PASSWORD}": { url: "http://b" }'],
    ['a setting', 'functions:\n  a: { url: "http://a", "${PASSWORD}": 1 }'],
    ['an anchor', 'functions:\n  a: *${PASSWORD}'],
    ['a stack', 'provider: { name: "${PASSWORD}", gateway: "${SPACED}" }'],
    ['a namespace', 'provider: { name: openfaas, gateway: "http://g" }\nfunctions: { a: { namespace: "${SPACED}" } }'],
    ['a queue of the file', 'queues:\n  "${SPACED}": { maxBytes: "${PASSWORD}" }'],
  ])('%s', (_, text) => {
    const problems = problemsOf(text).join('\n');
    expect(problems).not.toBe('');
    expect(problems).not.toContain('hunter2');
  });
});

test('requests of clients are not filled in: only files use the environment', () => {
  expect(parseFunctionEntry('a', { url: 'http://${PASSWORD}' }, {})).toEqual({
    kind: 'refused',
    problems: [expect.stringContaining('"http://${PASSWORD}" holds a variable that is not filled in')],
  });
});
