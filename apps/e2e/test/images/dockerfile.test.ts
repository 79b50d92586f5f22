import { expect, test } from 'vitest';
import { readCompose, readRoot } from './compose-file.ts';

interface Stage {
  readonly base: string;
  readonly name: string;
  /** `EXPOSE 8080`, each with its arguments on one line. */
  readonly steps: readonly string[];
}

const dockerfile = readRoot('Dockerfile');
const stages = readStages(dockerfile);
const services = readCompose('docker-compose.yml');
const configuration = readRoot('docs/configuration.md');

function readStages(text: string): Map<string, Stage> {
  const lines = text
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n');
  const found: { base: string; name: string; steps: string[] }[] = [];
  for (const line of lines.filter((each) => each !== '')) {
    const [, base, name = ''] = /^FROM (\S+)(?: AS (\S+))?$/.exec(line) ?? [];
    if (base === undefined) {
      found.at(-1)?.steps.push(line);
    } else {
      found.push({ base, name, steps: [] });
    }
  }
  return new Map(found.map((stage) => [stage.name, stage]));
}

const stepsOf = (name: string, instruction: string) =>
  (stages.get(name)?.steps ?? []).filter((step) => step.startsWith(`${instruction} `));

/** The default of a variable, in the part of the configuration page about an app. */
function defaultOf(app: string, variable: string): string | undefined {
  const part = configuration.split(/^## /m).find((each) => each.toLowerCase().startsWith(app)) ?? '';
  return new RegExp(`^\\| \`${variable}\` \\|[^|]*\\| \`([^\`]*)\` \\|`, 'm').exec(part)?.[1];
}

test.each([
  [
    'gateway',
    'gateway',
    [defaultOf('gateway', 'PORT'), defaultOf('gateway', 'OPS_PORT')],
    defaultOf('gateway', 'OPS_PORT'),
  ],
  ['worker', 'worker', [defaultOf('worker', 'OPS_PORT')], defaultOf('worker', 'OPS_PORT')],
  ['asyncfn', 'local', ['8080', '8090'], '8082'],
])(
  'the image of %s runs as a user without rights, declares its ports, and checks that it answers',
  (image, app, ports, opsPort) => {
    const stage = `app-${image}`;
    expect(stages.get(stage)?.base).toBe('runtime');
    expect(stepsOf(stage, 'USER')).toEqual(['USER node']);
    expect(stepsOf(stage, 'WORKDIR')).toEqual([`WORKDIR /app/apps/${app}`]);
    expect(stepsOf(stage, 'EXPOSE')).toEqual([`EXPOSE ${ports.join(' ')}`]);
    const [check = ''] = stepsOf(stage, 'HEALTHCHECK');
    expect(check).toMatch(new RegExp(`--start-period=\\S+ CMD \\["node", "/app/health.mjs", "${opsPort}"\\]$`));
    expect(stepsOf(stage, 'LABEL')[0]).toContain(
      `org.opencontainers.image.title="${image === 'asyncfn' ? image : `asyncfn ${image}`}"`,
    );
  },
);

test('every image has the licence, and says which version it is of', () => {
  const { version, license } = JSON.parse(readRoot('package.json')) as { version: string; license: string };
  expect(stepsOf('runtime', 'COPY')[0]).toBe('COPY LICENSE scripts/image/health.mjs /app/');
  expect(stepsOf('runtime', 'ARG')).toContain(`ARG VERSION=${version}`);
  expect(stepsOf('runtime', 'LABEL')[0]).toContain(`org.opencontainers.image.licenses="${license}"`);
  expect(readRoot('.dockerignore')).not.toMatch(/^(LICENSE|scripts)/m);
});

test('the queue of the image with everything in it is in a volume', () => {
  expect(stepsOf('app-asyncfn', 'VOLUME')).toEqual(['VOLUME /data']);
  expect(stepsOf('app-asyncfn', 'ENV')).toEqual(['ENV STATE_DIR=/data HOST=0.0.0.0']);
});

test('images, .nvmrc and compose agree on versions', () => {
  const bases = [...stages.values()].map(({ base }) => base).filter((base) => base.startsWith('node:'));
  expect(new Set(bases)).toEqual(new Set([`node:${readRoot('.nvmrc').trim()}-slim`]));
  expect(dockerfile).toContain(`org.opencontainers.image.base.name="docker.io/library/${bases[0]}"`);
  expect(dockerfile).toContain(`COPY --from=${services['nats']?.image} `);
});

test('a build without APP fails, and the script says what to pass', () => {
  expect(dockerfile).toMatch(/^ARG APP=unset\n\nFROM /m);
  expect(stages.get('app-unset')?.base).toBe('prune');
  expect(stages.get('')?.base).toMatch(/^app-\$\{APP\}$/);
});

test('no setting is made for npm that npm does not know', () => {
  const settings = [...dockerfile.matchAll(/npm_config_(\w+)=/g)].map(([, name]) => name);
  expect(settings).toEqual(['update_notifier']);
});

test('compose checks the address at which each service answers, and nothing for a service that does not listen', () => {
  const checked = Object.entries(services).filter(([, { image }]) => image?.startsWith('asyncfn'));
  const asked = checked.map(([name, { environment, healthcheck }]) => {
    expect(healthcheck?.test, name).toBeUndefined();
    return [name, healthcheck?.disable === true ? undefined : environment?.['HEALTH_URL']];
  });
  expect(Object.fromEntries(asked)).toEqual({
    gateway: `http://127.0.0.1:${defaultOf('gateway', 'OPS_PORT')}/readyz`,
    worker: `http://127.0.0.1:${defaultOf('worker', 'OPS_PORT')}/readyz`,
    functions: 'http://127.0.0.1:8091/healthz',
    inbox: 'http://127.0.0.1:8090/healthz',
    load: undefined,
  });
});
