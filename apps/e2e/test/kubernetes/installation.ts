import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type NatsServer, startNatsServer } from '@asyncfn/nats-server';
import type {} from '@asyncfn/nats-server/vitest';
import { AppProcess } from '@asyncfn/stack';
import { freePort } from '@asyncfn/testkit';
import { inject } from 'vitest';
import { type Cluster, envOf, type Workload } from './cluster.ts';

/** Secrets by name, each with its keys. */
export type Secrets = Readonly<Record<string, Readonly<Record<string, string>>>>;

export interface InstallationOptions {
  /** Those that the overlay does not have. */
  readonly secrets?: Secrets;
  /** A functions file of this machine in place of the one in the ConfigMap. */
  readonly functions: string;
}

/** An overlay as processes of this machine: with the configuration of its manifests, and addresses of this machine. */
export interface Installation extends AsyncDisposable {
  readonly servers: readonly NatsServer[];
  readonly gateway: AppProcess;
  readonly worker: AppProcess;
}

const patienceMs = 60_000;

/** Starts the NATS servers, a gateway and a worker, and waits until both are ready. */
export async function startInstallation(cluster: Cluster, options: InstallationOptions): Promise<Installation> {
  const folder = await mkdtemp(join(tmpdir(), 'installation-'));
  const servers = await startServers(cluster, options, folder);
  const apps: AppProcess[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(apps.map((app) => app[Symbol.asyncDispose]()));
    await Promise.all(servers.map((server) => server.stop()));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    for (const name of ['gateway', 'worker'] as const) {
      const pod = cluster.workload(`asyncfn-${name}`);
      const env = {
        ...(await localEnv(cluster, pod, options, folder)),
        NATS_URL: servers.map(({ url }) => url).join(','),
      };
      apps.push(await AppProcess.spawn(name, name, env));
    }
    await Promise.all(apps.map((app) => app.untilReady(patienceMs)));
  } catch (cause) {
    const tails = apps.map(({ tail }) => tail).join('\n');
    await stop();
    throw new Error(`the installation does not start:\n${tails}`, { cause });
  }
  const [gateway, worker] = apps;
  return { servers, gateway: gateway!, worker: worker!, [Symbol.asyncDispose]: stop };
}

/** The environment of a pod, with its mounted files in `folder`, and free ports. */
async function localEnv(
  cluster: Cluster,
  pod: Workload,
  { secrets = {}, functions }: InstallationOptions,
  folder: string,
): Promise<Record<string, string>> {
  const own = join(folder, pod.name);
  for (const { name, mountPath } of pod.container.volumeMounts ?? []) {
    const volume = pod.volumes.find((each) => each.name === name);
    const secret = volume?.secret?.secretName ?? '';
    const configMap = cluster.texts('ConfigMap', volume?.configMap?.name ?? '');
    const texts = configMap && { ...configMap, 'functions.yaml': functions };
    await mkdir(join(own, mountPath), { recursive: true });
    for (const [key, text] of Object.entries(texts ?? cluster.texts('Secret', secret) ?? secrets[secret] ?? {})) {
      await writeFile(join(own, mountPath, key), text);
    }
  }
  const env = envOf(cluster, pod, secrets);
  const files = Object.entries(env).filter(([, value]) => value.startsWith('/'));
  return {
    ...env,
    ...Object.fromEntries(files.map(([name, path]) => [name, join(own, path)])),
    HOST: '127.0.0.1',
    PORT: '0',
    OPS_PORT: '0',
    // Functions and receivers of the tests are on this machine.
    CALLBACK_ALLOW: '127.0.0.0/8',
  };
}

async function startServers(
  cluster: Cluster,
  { secrets = {} }: InstallationOptions,
  folder: string,
): Promise<NatsServer[]> {
  const pod = cluster.workload('asyncfn-nats');
  const name = pod.volumes.find(({ configMap }) => configMap)?.configMap?.name ?? '';
  const files = cluster.texts('ConfigMap', name) ?? {};
  const { GATEWAY_NATS_PASSWORD, WORKER_NATS_PASSWORD } = envOf(cluster, pod, secrets);
  const variables = `GATEWAY_NATS_PASSWORD: ${GATEWAY_NATS_PASSWORD}\nWORKER_NATS_PASSWORD: ${WORKER_NATS_PASSWORD}\n`;
  const routes = await Promise.all(Array.from({ length: pod.replicas ?? 1 }, () => freePort()));
  const starts = routes.map((route, index) =>
    startNatsServer({
      bin: inject('natsServerBin'),
      name: `asyncfn-nats-${index}`,
      monitor: true,
      config:
        variables + toLocal(inline(files['nats.conf'] ?? '', files), join(folder, `nats-${index}`), route, routes),
    }),
  );
  return await Promise.all(starts);
}

function inline(text: string, files: Readonly<Record<string, string>>): string {
  return text.replaceAll(/^include \.\/(\S+)$/gm, (_line, name: string) => files[name] ?? `missing: ${name}`);
}

/** Replaces what belongs to the pod: names, addresses, folders. */
function toLocal(text: string, store: string, route: number, routes: readonly number[]): string {
  return text
    .replaceAll(/^(server_name|listen|http|pid_file): .*$/gm, '')
    .replace('store_dir: /data', `store_dir: ${JSON.stringify(store)}`)
    .replace('listen: 0.0.0.0:6222', `listen: "127.0.0.1:${route}"`)
    .replaceAll(
      /asyncfn-nats-(\d)\.asyncfn-nats:6222/g,
      (_address, index: string) => `127.0.0.1:${routes[Number(index)]}`,
    );
}
