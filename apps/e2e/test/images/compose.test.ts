import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readCompose, readRoot } from './compose-file.ts';

const services = readCompose('docker-compose.yml');
const own = Object.entries(services).filter(([, { image }]) => image?.startsWith('asyncfn'));
const profiles = [...new Set(Object.values(services).flatMap((service) => service.profiles ?? []))];

/** Pages with lines that people paste. */
const pages = ['README.md', 'CONTRIBUTING.md', ...readdirSync(new URL('../../../../docs', import.meta.url))]
  .filter((name) => name.endsWith('.md'))
  .map((name) => (name === 'README.md' || name === 'CONTRIBUTING.md' ? name : `docs/${name}`));

test('an init process passes the signals of `docker stop` on to Node, even while Node starts', () => {
  expect(own.map(([name]) => name)).toEqual(['gateway', 'worker', 'functions', 'inbox', 'load']);
  for (const [name, { init }] of own) {
    expect(init, name).toBe(true);
  }
});

test('nats-server is process 1, because its health check looks for a file that is named after it', () => {
  const all = { ...services, ...readCompose('deploy/docker-compose.cluster.yml') };
  const servers = Object.entries(all).filter(([, { image }]) => image?.startsWith('nats:'));
  expect(servers.length).toBeGreaterThan(1);
  for (const [name, { init, healthcheck }] of servers) {
    expect(init, name).toBeUndefined();
    expect(healthcheck?.test, name).toContain('/tmp/nats-server_1.ports');
  }
});

test('no server of the cluster gets the folder of the single server, whose streams it would not take over', () => {
  const dataOf = (file: string) =>
    Object.values(readCompose(file)).flatMap(({ image, volumes }) =>
      image === undefined || image.startsWith('nats:') ? (volumes ?? []).filter((each) => each.endsWith(':/data')) : [],
    );
  const single = dataOf('docker-compose.yml');
  const cluster = dataOf('deploy/docker-compose.cluster.yml');
  expect(single).toEqual(['nats-data:/data']);
  expect(new Set(cluster).size).toBe(3);
  expect(cluster.filter((each) => single.includes(each))).toEqual([]);
});

test('functions reach neither NATS nor the open gateway: they share a network with the worker alone', () => {
  const overlay = readCompose('deploy/docker-compose.cluster.yml');
  const networksOf = (name: string) => ({ ...overlay, ...services })[name]?.networks ?? ['default'];
  const neighboursOf = (name: string) =>
    Object.keys({ ...overlay, ...services }).filter((other) =>
      networksOf(other).some((network) => networksOf(name).includes(network)),
    );
  expect(neighboursOf('functions').toSorted()).toEqual(['functions', 'inbox', 'worker']);
  for (const server of ['nats', 'nats-2', 'nats-3']) {
    expect(neighboursOf(server).toSorted(), server).toEqual(['gateway', 'nats', 'nats-2', 'nats-3', 'worker']);
  }
  expect(neighboursOf('load')).toContain('gateway');
  expect(neighboursOf('prometheus')).toEqual(expect.arrayContaining(['gateway', 'worker']));
});

test('containers may call the gateway and the inbox by the names of their services', () => {
  const load = services['load']?.environment;
  expect(new URL(load?.['GATEWAY_URL'] ?? '').hostname).toBe('gateway');
  expect(services['gateway']?.environment?.['ALLOWED_HOSTS']).toMatch(/:-gateway\}$/);
  expect(services['inbox']?.environment?.['ALLOWED_HOSTS']).toBe('inbox');
});

test('the worker reaches functions and receivers on the host by the name that Docker Desktop gives it', () => {
  expect(services['worker']?.extra_hosts).toEqual(['host.docker.internal:host-gateway']);
});

test('a line of the documentation that takes everything down names every profile', () => {
  const downs = pages.flatMap((page) => readRoot(page).match(/docker compose\b.*\bdown\b.*/g) ?? []);
  expect(profiles).toEqual(['load', 'monitoring']);
  expect(downs.length).toBeGreaterThan(1);
  for (const line of downs) {
    expect(profiles.filter((profile) => !line.includes(`--profile ${profile} `))).toEqual([]);
  }
});

test('an image is built once: if each service built it, it would differ each time, and `up` would create containers again', () => {
  const images = own.flatMap(([, { image, build }]) => (build === undefined ? [] : [[image, build.args.APP]]));
  expect(images).toEqual([
    ['asyncfn-gateway', 'gateway'],
    ['asyncfn-worker', 'worker'],
    ['asyncfn', 'asyncfn'],
  ]);
  // Compose 1 builds in the order of dependencies.
  expect(services['inbox']?.depends_on).toContain('functions');
  expect(Object.keys(services['load']?.depends_on ?? {})).toContain('functions');
});
